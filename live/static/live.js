// The page of the live room: begin and end, knobs, keys, words, and what there is to know.

import { askForMidi } from "../shared/access.js";
import { Keys } from "../shared/keys.js";
import { Sound } from "./sound.js";

const KNOBS = {
  mix: "Network 1 – others",
  mix23: "Network 2 – network 3",
  temperature: "Temperature",
  volume: "Volume",
  bend: "Bend the temperature",
  follow: "Follow what is heard",
  press: "Follow more, as long as it is pressed",
};
const LONGEST_LOG = 20; // lines

const $ = (id) => document.getElementById(id);
const sound = new Sound({ heard, counted, ended });
const sliders = {};

function log(text, kind = "") {
  const line = document.createElement("p");
  line.textContent = text;
  line.className = kind;
  $("log").append(line);
  while ($("log").children.length > LONGEST_LOG) $("log").firstChild.remove();
}

function heard(message) {
  if (message.type === "said") log(message.sentence);
  if (message.type === "words") log(`${message.place}: ${message.words.trimEnd()}`, "words");
  if (message.type === "notes") for (const [place, pitch, velocity] of message.notes) if (velocity) log(`${place}: note ${pitch}`, "words");
  if (message.type === "state") show(message);
}

function show({ levels, networks, knobs }) {
  $("in").value = levels[0];
  $("out").value = levels[1];
  $("networks").replaceChildren(
    ...networks.map(({ name, late, skipped, slowest }) => {
      const item = document.createElement("li");
      item.textContent = `${name}: late ${late} times, ${skipped} blocks not heard, slowest block ${slowest} ms`;
      return item;
    }),
  );
  for (const [name, value] of Object.entries(knobs)) {
    if (document.activeElement !== sliders[name]) sliders[name].value = value;
  }
}

function counted({ gaps, queue, shortened, latency }) {
  if (latency !== undefined) $("latency").textContent = `${(1000 * latency).toFixed(0)} ms from the microphone to the loudspeaker`;
  if (gaps !== undefined) Object.assign($("gaps").dataset, { gaps, queue, shortened });
  if (gaps !== undefined) $("gaps").textContent = `${gaps} gaps, ${queue} samples wait`;
}

function ended(why) {
  $("begin").textContent = "Begin";
  $("status").textContent = why || "Ended.";
  $("click").disabled = true;
}

async function begin() {
  if (sound.isOn) {
    sound.end();
    return;
  }
  $("begin").disabled = true; // until the browser has asked for the microphone
  try {
    await sound.begin();
    $("begin").textContent = "End";
    $("status").textContent = "The networks hear the microphone: use headphones, or they hear themselves.";
    $("click").disabled = false;
  } catch (error) {
    sound.end();
    $("status").textContent = error.message;
  }
  $("begin").disabled = false;
}

function addKnob(name, words) {
  const box = document.createElement("div");
  box.className = "field";
  const label = Object.assign(document.createElement("label"), { htmlFor: name, textContent: words });
  const slider = Object.assign(document.createElement("input"), { type: "range", id: name, min: 0, max: 1, step: 1 / 127 });
  slider.addEventListener("input", () => sound.say({ type: "knob", name, value: Number(slider.value) }));
  const learn = Object.assign(document.createElement("button"), { type: "button", textContent: "Learn" });
  learn.setAttribute("aria-label", `Learn: ${words}`);
  learn.addEventListener("click", () => sound.say({ type: "learn", knob: name }));
  box.append(label, slider, learn);
  $("knobs").append(box);
  sliders[name] = slider;
}

function listen(access) {
  const inputs = [...access.inputs.values()];
  for (const input of inputs) input.onmidimessage = ({ data }) => sound.say({ type: "midi", data: [...data] });
  $("midi-status").textContent = inputs.length ? `Connected: ${inputs.map(({ name }) => name).join(", ")}.` : "Nothing is plugged in.";
}

for (const [name, words] of Object.entries(KNOBS)) addKnob(name, words);
new Keys($("keys").querySelector(".keys"), {
  press: (pitch, velocity) => sound.say({ type: "note", pitch, velocity }),
  release: (pitch) => sound.say({ type: "note", pitch, velocity: 0 }),
});
$("begin").addEventListener("click", begin);
$("click").addEventListener("click", () => sound.click());
askForMidi($("midi"), $("midi-status"), "MIDI controllers", listen);

// Whether there is somebody to send a form to; where not, it says what to do, and what was typed stays.
function isHeard() {
  if (!sound.isOn) $("status").textContent = "No network hears this yet: press Begin first.";
  return sound.isOn;
}

$("typed").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isHeard()) return;
  sound.say({ type: "words", words: `${$("words").value}\n` });
  log($("words").value);
  $("words").value = "";
});
$("swap").addEventListener("submit", (event) => {
  event.preventDefault();
  if (isHeard()) sound.say({ type: "swap", place: Number($("place").value), name: $("name").value });
});
$("begin").disabled = false;
