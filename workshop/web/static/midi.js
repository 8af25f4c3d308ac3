// A MIDI keyboard that is connected to the computer.

import { askForMidi } from "./access.js";

const NOTE_ON = 0x90;
const NOTE_OFF = 0x80;

// Let a button connect all keyboards that there are to a melody, and say what happens.
export function connectMidi(button, status, melody) {
  askForMidi(button, status, "MIDI keyboards", (access) => listen(access, status, melody));
}

function listen(access, status, melody) {
  const inputs = [...access.inputs.values()];
  for (const input of inputs) input.onmidimessage = ({ data }) => hear(data, melody);
  const names = inputs.map(({ name }) => name || "a keyboard").join(", ");
  status.textContent = names ? `Connected: ${names}.` : "No MIDI keyboard is plugged in; one that comes later is heard too.";
}

function hear([kind, pitch, velocity], melody) {
  const message = kind & 0xf0;
  if (message === NOTE_ON && velocity) melody.press(pitch, velocity);
  else if (message === NOTE_ON || message === NOTE_OFF) melody.release(pitch);
}
