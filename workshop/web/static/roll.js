// The piano roll: time to the right, pitch upwards, louder notes stronger.

import { Head, colour, sized } from "./drawing.js";

const SECOND = 56; // pixels
const WIDEST = 16000;
const LEFT = 34;
const BLACK = new Set([1, 3, 6, 8, 10]);

export class Roll {
  constructor(box, seek) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.head = new Head(box);
    this.canvas.addEventListener("click", (event) => seek((event.offsetX - LEFT) / this.second));
    this.clear();
  }

  clear() {
    this.notes = [];
    this.beat = 0.5;
    this.head.hide();
    this.box.hidden = true;
  }

  // Notes [start, end, pitch, velocity] in seconds, and the tempo in beats a minute.
  show(notes, tempo) {
    this.notes = notes;
    this.beat = 60 / tempo;
    this.box.hidden = false;
    this.draw();
  }

  draw() {
    if (this.box.hidden) return;
    const end = Math.max(4, ...this.notes.map((note) => note[1]));
    const wanted = Math.min(Math.max(this.box.clientWidth, LEFT + end * SECOND + 8), WIDEST);
    this.second = (wanted - LEFT - 8) / end;
    const pitches = this.notes.map((note) => note[2]);
    let [low, high] = [Math.min(...pitches) - 2, Math.max(...pitches) + 2];
    while (high - low < 16) [low, high] = [low - 1, high + 1];
    const row = Math.max(5, Math.min(11, Math.floor(260 / (high - low + 1))));
    const height = (high - low + 1) * row;
    const context = sized(this.canvas, wanted, height);
    this.drawGrid(context, wanted, height, low, high, row, end);
    context.fillStyle = colour("--accent");
    for (const [start, stop, pitch, velocity] of this.notes) {
      const x = LEFT + start * this.second;
      context.globalAlpha = 0.45 + (0.55 * velocity) / 127;
      context.beginPath();
      context.roundRect(x, (high - pitch) * row + 0.5, Math.max((stop - start) * this.second - 1, 2), row - 1, 2);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  drawGrid(context, width, height, low, high, row, end) {
    context.fillStyle = colour("--row");
    for (let pitch = low; pitch <= high; pitch += 1) {
      if (BLACK.has(pitch % 12)) context.fillRect(LEFT, (high - pitch) * row, width, row);
    }
    for (let beat = 0; beat * this.beat <= end; beat += 1) {
      context.fillStyle = colour(beat % 4 ? "--faint" : "--line");
      context.fillRect(Math.round(LEFT + beat * this.beat * this.second), 0, 1, height);
    }
    context.font = `11px ${colour("--font")}`;
    context.fillStyle = colour("--soft");
    context.textBaseline = "middle";
    for (let pitch = low; pitch <= high; pitch += 1) {
      if (pitch % 12 === 0) context.fillText(`C${pitch / 12 - 1}`, 4, (high - pitch + 0.5) * row);
    }
  }

  at(seconds) {
    this.head.show(LEFT + seconds * this.second);
  }
}
