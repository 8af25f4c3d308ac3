// A slot: a point of the latent space, where its way leads, and its row on the page.

import { moved } from "./points.js";

export class Slot {
  // The page's functions: chosen(slot), levelled(slot), muted(slot), locked(slot) and earlier(slot).
  constructor(place, told) {
    Object.assign(this, { place, told, point: null, pad: [0, 0], way: "stay", target: null, steps: 4, isBusy: false, changes: 0 });
    this.row = document.getElementById("slot").content.firstElementChild.cloneNode(true);
    this.row.setAttribute("aria-label", this.name);
    this.part("chosen").textContent = place + 1;
    this.part("chosen").setAttribute("aria-label", `Choose ${this.name.toLowerCase()}`);
    this.part("level").setAttribute("aria-label", `Level of ${this.name.toLowerCase()}`);
    this.part("earlier").setAttribute("aria-label", `Move ${this.name.toLowerCase()} up`);
    for (const part of ["chosen", "earlier"]) this.part(part).addEventListener("click", () => told[part](this));
    this.part("level").addEventListener("input", () => told.levelled(this));
    this.part("mute").addEventListener("change", () => told.muted(this));
    this.part("lock").addEventListener("change", () => told.locked(this));
    this.show();
  }

  part(name) {
    return this.row.querySelector(`.${name}`);
  }

  get name() {
    return `Slot ${this.place + 1}`;
  }

  get level() {
    return Number(this.part("level").value);
  }

  set level(value) {
    this.part("level").value = value;
    this.told.levelled(this);
  }

  get isMuted() {
    return this.part("mute").checked;
  }

  set isMuted(value) {
    this.part("mute").checked = value;
    this.told.muted(this);
  }

  get isLocked() {
    return this.part("lock").checked;
  }

  set isLocked(value) {
    this.part("lock").checked = value;
    this.told.locked(this);
  }

  // What a person has made of it; assigned to a slot, it is the same again.
  get made() {
    const { point, pad, way, target, steps, level, isMuted, isLocked } = this;
    return { point, pad, way, target, steps, level, isMuted, isLocked };
  }

  // It stands at a point, in the middle of the pad.
  standAt(point) {
    Object.assign(this, { point, pad: [0, 0] });
  }

  // Where it is, with the pad; null while it is empty.
  at(directions) {
    return this.point && moved(this.point, this.pad, directions);
  }

  // What the server is told of it.
  wish(directions, slots) {
    const end = this.way !== "stay" && this.target !== null ? slots[this.target].at(directions) : null;
    const way = end ? this.way : "stay";
    return { start: this.at(directions), end, way, steps: way === "stay" ? 1 : this.steps, level: this.level };
  }

  show() {
    const goes = { stay: "", fade: " to ", pingpong: " ⇄ " }[this.way];
    const where = goes && this.target !== null ? `${goes}${this.target + 1}, ${this.steps} bars` : "";
    this.part("what").textContent = this.isBusy ? "is made …" : this.point ? `filled${where}` : "empty";
  }
}
