// What a network goes on from, where that is no text: a hidden field with the name that the server has given it.

import { NO_ANSWER } from "./files.js";

export class Prompt {
  // kind: notes or sound; box: has the field, the status and the button that takes it away.
  constructor(kind, box) {
    this.kind = kind;
    this.field = box.querySelector("input[type=hidden]");
    this.status = box.querySelector(".prompt");
    this.remove = box.querySelector(".remove");
    this.remove.addEventListener("click", () => this.clear());
    this.clear();
  }

  clear() {
    this.field.value = "";
    this.remove.hidden = true;
    this.say("");
    this.cleared?.();
  }

  say(sentence, isProblem = false) {
    this.status.textContent = sentence;
    this.status.classList.toggle("problem", isProblem);
  }

  // Send it to the server; words say what it is. Returns the name it got, or null.
  async send(body, words) {
    const answer = await fetch(`prompt/${this.kind}`, { method: "POST", body }).catch(() => null);
    if (!answer?.ok) {
      this.say(answer ? await answer.text() : NO_ANSWER, true);
      return null;
    }
    this.field.value = (await answer.json()).id;
    this.remove.hidden = false;
    this.say(words);
    return this.field.value;
  }
}
