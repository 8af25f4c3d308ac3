// A melody that is played on the page, on its keys or on a MIDI keyboard, for a network to go on from.

import { Prompt } from "./prompt.js";

const LONGEST = 60; // seconds
const MOST = 400;
// Milliseconds after the last key was let go, until it is sent.
const PAUSE = 400;

export class Melody {
  constructor(box) {
    this.prompt = new Prompt("notes", box);
    this.prompt.cleared = () => this.forget();
    this.forget();
  }

  forget() {
    clearTimeout(this.timer);
    for (const pitch of this.held?.keys() ?? []) this.tone(pitch, false);
    this.notes = [];
    this.held = new Map();
    this.began = null;
    this.isFull = false;
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }

  press(pitch, velocity) {
    clearTimeout(this.timer);
    if (this.held.has(pitch)) return;
    this.began ??= performance.now();
    this.held.set(pitch, { start: this.seconds, velocity });
    this.tone(pitch, true);
  }

  release(pitch) {
    const note = this.held.get(pitch);
    if (!note) return;
    this.held.delete(pitch);
    this.tone(pitch, false);
    const end = Math.max(this.seconds, note.start + 0.05);
    this.isFull = note.start >= LONGEST || this.notes.length >= MOST;
    if (!this.isFull) this.notes.push([note.start, Math.min(end, LONGEST), pitch, note.velocity]);
    clearTimeout(this.timer);
    if (!this.held.size) this.timer = setTimeout(() => this.send(), PAUSE);
  }

  send() {
    if (!this.notes.length) return;
    const { length } = this.notes;
    const full = this.isFull ? " It takes no more: forget it to play another beginning." : "";
    const words = `${length} ${length === 1 ? "note" : "notes"} played: the network goes on from there.${full}`;
    this.prompt.send(JSON.stringify(this.notes), words);
  }

  // A simple tone as long as a key is held.
  tone(pitch, isOn) {
    this.tones ??= new Map();
    const old = this.tones.get(pitch);
    if (old) {
      old.gain.gain.setTargetAtTime(0, this.context.currentTime, 0.05);
      old.tone.stop(this.context.currentTime + 0.3);
      this.tones.delete(pitch);
    }
    if (!isOn) return;
    this.context ??= new AudioContext();
    const tone = new OscillatorNode(this.context, { type: "triangle", frequency: 440 * 2 ** ((pitch - 69) / 12) });
    const gain = new GainNode(this.context, { gain: 0.2 });
    tone.connect(gain).connect(this.context.destination);
    tone.start();
    this.tones.set(pitch, { tone, gain });
  }
}
