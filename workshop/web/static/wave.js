// The waveform of a sound, which grows while the sound is made.

import { Head, colour, sized } from "./drawing.js";

const HEIGHT = 160;
const COLUMNS = 1200;

export class Wave {
  constructor(box, seek) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.head = new Head(box);
    this.canvas.addEventListener("click", (event) => seek((event.offsetX / this.box.clientWidth) * this.seconds));
    this.clear();
  }

  clear() {
    this.head.hide();
    this.box.hidden = true;
  }

  // A sound of so many samples is going to come.
  begin(length, rate) {
    this.length = length;
    this.seconds = length / rate;
    this.made = 0;
    this.peaks = new Float32Array(COLUMNS);
    this.box.hidden = false;
    this.draw();
  }

  add(samples) {
    for (let i = 0; i < samples.length; i += 1) {
      const column = Math.floor(((this.made + i) * COLUMNS) / this.length);
      const loudness = Math.abs(samples[i]);
      if (loudness > this.peaks[column]) this.peaks[column] = loudness;
    }
    this.made += samples.length;
    this.draw();
  }

  draw() {
    if (this.box.hidden) return;
    const width = this.box.clientWidth;
    const context = sized(this.canvas, width, HEIGHT);
    context.fillStyle = colour("--line");
    context.fillRect(0, HEIGHT / 2, width, 1);
    context.fillStyle = colour("--accent");
    const columns = Math.min(Math.ceil((this.made * COLUMNS) / this.length), COLUMNS);
    for (let column = 0; column < columns; column += 1) {
      const half = Math.max(this.peaks[column] * (HEIGHT / 2 - 4), 0.5);
      context.fillRect((column * width) / COLUMNS, HEIGHT / 2 - half, Math.max(width / COLUMNS, 1), 2 * half);
    }
  }

  at(seconds) {
    this.head.show(Math.min(seconds / this.seconds, 1) * (this.box.clientWidth - 2));
  }
}
