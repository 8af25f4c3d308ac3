// An octave of piano keys: for the mouse, for fingers, and for the keyboard: each key is a button, and the letters of two
// rows play them where one of them has the focus.

const NAMES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B", "C"];
const LETTERS = "awsedftgyhujk";
// Where each key begins, in halves of a white one.
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 15];
const BLACK = new Set([1, 3, 6, 8, 10]);
const LOUD = 90;
const SHORT = 250; // milliseconds

export class Keys {
  constructor(box, melody) {
    Object.assign(this, { box, melody, octave: 4 });
    NAMES.forEach((_, number) => box.append(this.key(number)));
    box.addEventListener("keydown", (event) => this.type(event, true));
    box.addEventListener("keyup", (event) => this.type(event, false));
    for (const [name, by] of [["lower", -1], ["higher", 1]]) {
      box.parentElement.querySelector(`.${name}`).addEventListener("click", () => this.move(by));
    }
    this.move(0);
  }

  key(number) {
    const key = document.createElement("button");
    key.type = "button";
    key.className = BLACK.has(number) ? "black" : "white";
    key.classList.add(`at-${COLUMNS[number]}`);
    key.addEventListener("pointerdown", (event) => {
      key.setPointerCapture(event.pointerId);
      this.press(number);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) key.addEventListener(type, () => this.release(number));
    // Enter and the space bar click without a pointer.
    key.addEventListener("click", (event) => {
      if (event.detail) return;
      this.press(number);
      setTimeout(() => this.release(number), SHORT);
    });
    return key;
  }

  pitch(number) {
    return 12 * (this.octave + 1) + number;
  }

  press(number) {
    this.melody.press(this.pitch(number), LOUD);
    this.box.children[number].classList.add("pressed");
  }

  release(number) {
    this.melody.release(this.pitch(number));
    this.box.children[number].classList.remove("pressed");
  }

  type(event, isDown) {
    const number = event.key.length === 1 ? LETTERS.indexOf(event.key.toLowerCase()) : -1;
    if (number < 0 || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isDown) this.press(number);
    else this.release(number);
  }

  move(by) {
    NAMES.forEach((_, number) => this.release(number));
    this.octave = Math.min(Math.max(this.octave + by, 1), 7);
    NAMES.forEach((name, number) => {
      const label = `${name} ${this.octave + Math.floor(number / 12)}`;
      this.box.children[number].setAttribute("aria-label", label);
      this.box.children[number].title = `${label} (${LETTERS[number]})`;
    });
    this.box.parentElement.querySelector(".octave").textContent = `Octave ${this.octave}`;
  }
}
