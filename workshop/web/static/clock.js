// MIDI for the page of loops: keys mute slots, controllers are their levels, and a clock goes out and comes in.

import { askForMidi } from "./access.js";

const NOTE_ON = 0x90;
const CONTROL = 0xb0;
const CLOCK = 0xf8;
const START = 0xfa;
const STOP = 0xfc;
// Messages of a clock in a beat.
const EACH_BEAT = 24;
const FIRST_KEY = 60;
const FIRST_CONTROLLER = 20;
// Beats over which the tempo of another clock is measured, and by how much it has to differ.
const MEASURED = 4;
const DIFFERENT = 0.5;

export class Clock {
  // told.mute(place), told.level(place, value), told.start(), told.stop() and told.tempo(beats a minute) are called.
  constructor(button, status, told) {
    Object.assign(this, { status, told, outputs: [], ticks: [] });
    askForMidi(button, status, "MIDI devices", (access) => this.listen(access));
  }

  listen(access) {
    const inputs = [...access.inputs.values()];
    this.outputs = [...access.outputs.values()];
    for (const input of inputs) input.onmidimessage = ({ data, timeStamp }) => this.hear(data, timeStamp);
    const names = [...inputs, ...this.outputs].map(({ name }) => name || "a device").join(", ");
    this.status.textContent = names ? `Connected: ${names}.` : "No MIDI device is plugged in; one that comes later is used too.";
  }

  hear([kind, number, value], time) {
    if (kind === CLOCK) this.tick(time);
    if (kind === START) {
      this.ticks = [];
      this.told.start();
    }
    if (kind === STOP) this.told.stop();
    if ((kind & 0xf0) === NOTE_ON && value) this.told.mute(number - FIRST_KEY);
    if ((kind & 0xf0) === CONTROL) this.told.level(number - FIRST_CONTROLLER, value / 127);
  }

  tick(time) {
    this.ticks.push(time);
    if (this.ticks.length <= MEASURED * EACH_BEAT) return;
    const bpm = (60_000 * MEASURED) / (time - this.ticks[0]);
    this.ticks = [time];
    if (!(Math.abs(bpm - this.tempo) < DIFFERENT)) {
      this.tempo = bpm;
      this.told.tempo(Math.round(10 * bpm) / 10);
    }
  }

  // A bar begins at a time of the audio context and has so many beats in so many seconds.
  sendBar(bar, at, context, beats, seconds) {
    if (!this.outputs.length) return;
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    const when = (time) => performanceTime + 1000 * (time - contextTime);
    for (const output of this.outputs) {
      if (!bar) output.send([START], when(at));
      for (let tick = 0; tick < EACH_BEAT * beats; tick += 1) output.send([CLOCK], when(at + (tick * seconds) / (EACH_BEAT * beats)));
    }
  }

  sendStop() {
    for (const output of this.outputs) {
      output.clear?.();
      output.send([STOP]);
    }
  }
}
