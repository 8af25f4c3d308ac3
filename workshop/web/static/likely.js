// What the network expected at each place of a text or of notes: the symbols in colour, and a slider that goes to one.

import { NO_ANSWER } from "./files.js";

const SHADES = 8;

export class Likely {
  // box: the <details>; address(): where the places are; they are fetched when it is opened.
  constructor(box, address) {
    Object.assign(this, { box, address, places: [] });
    this.slider = box.querySelector("input");
    this.row = box.querySelector(".places");
    box.addEventListener("toggle", () => {
      if (box.open && !this.places.length) this.fetch();
    });
    this.slider.addEventListener("input", () => this.show());
    this.row.addEventListener("click", ({ target }) => {
      const number = [...this.row.children].indexOf(target);
      if (number >= 0) this.go(number);
    });
  }

  say(sentence) {
    this.box.querySelector(".hint").textContent = sentence;
  }

  async fetch() {
    this.say("Looking …");
    const answer = await fetch(this.address()).catch(() => null);
    if (!answer?.ok) {
      this.say(answer ? await answer.text() : NO_ANSWER);
      return;
    }
    Object.assign(this, await answer.json());
    this.say("Pale: it was expected. Dark: it came as a surprise. Choose a place with the slider or by clicking.");
    this.row.replaceChildren(...this.places.map((place) => this.mark(place)));
    this.slider.max = this.places.length;
    this.box.querySelector(".expected").hidden = false;
    this.go(0);
  }

  // A symbol, the darker the less likely it was.
  mark({ symbol, probability }) {
    const span = document.createElement("span");
    const nats = -Math.log(Math.max(probability, 1e-4));
    span.className = `likely-${Math.min(SHADES - 1, Math.floor(nats))}`;
    span.textContent = this.names[symbol];
    if (this.names[symbol].length > 1) span.classList.add("word");
    return span;
  }

  go(number) {
    this.slider.value = number + 1;
    this.show();
  }

  // The place that the slider is at.
  show() {
    const number = Number(this.slider.value) - 1;
    const { symbol, probability, likeliest } = this.places[number];
    for (const mark of this.row.querySelectorAll(".here")) mark.classList.remove("here");
    this.row.children[number].classList.add("here");
    const words = `Place ${number + 1}: ${this.names[symbol]}, ${percent(probability)}`;
    this.slider.setAttribute("aria-valuetext", words);
    this.box.querySelector("caption").textContent = words;
    const rows = likeliest.map(([other, share]) => this.expectation(other, share, other === symbol));
    this.box.querySelector("tbody").replaceChildren(...rows);
  }

  expectation(symbol, share, isHere) {
    const row = document.createElement("tr");
    const name = Object.assign(document.createElement("th"), { scope: "row", textContent: this.names[symbol] });
    const number = Object.assign(document.createElement("td"), { textContent: percent(share) });
    const bar = document.createElement("td");
    bar.append(Object.assign(document.createElement("meter"), { value: share, ariaLabel: percent(share) }));
    row.classList.toggle("chosen", isHere);
    row.append(name, number, bar);
    return row;
  }
}

function percent(share) {
  return share >= 0.001 ? `${(100 * share).toFixed(1)} %` : "below 0.1 %";
}
