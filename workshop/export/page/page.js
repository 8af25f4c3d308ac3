// The page: what the person asks for, and the result as it is made.

import { Network } from "./network.js";
import { drawRoll, notesOf, Player } from "./notes.js";
import { keepsUp, Speaker, wavOf } from "./sound.js";

const byId = (id) => document.getElementById(id);
// Milliseconds of generating between two looks at the page.
const SLICE = 30;
const LENGTHS = { text: 500, notes: 256, sound: 3 };
const UNITS = { text: "Characters", notes: "Steps", sound: "Seconds" };
// Seconds of a sound at most: all of it is kept in memory.
const LONGEST_SOUND = 600;
const MADE = { text: "characters", notes: "steps", sound: "samples" };

const isOver = () => (byId("play").textContent = "Play");
const player = new Player(isOver);
const speaker = new Speaker(isOver);
let network = null;
let isBusy = false;
let notes = [];
let sound = new Float32Array(0);

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (network && !isBusy) generate();
});
byId("stop").addEventListener("click", () => {
  isBusy = false;
  hush();
});
byId("play").addEventListener("click", () => {
  if (player.context || speaker.context) hush();
  else hear();
});
byId("temperature").addEventListener("input", showTemperature);
open().catch((error) => say(`The network cannot be opened: ${error.message}.`));

async function open() {
  network = await Network.load();
  const { kind, name, temperature, source = "", conditions = [] } = network.about;
  document.title = name;
  byId("title").textContent = name;
  byId("source").textContent = source;
  byId("origin").hidden = !source;
  byId("prompt-field").hidden = kind !== "text";
  byId("condition-field").hidden = !conditions.length;
  byId("condition").replaceChildren(...conditions.map((one, number) => new Option(one, number)));
  byId("unit").textContent = UNITS[kind];
  byId("length").value = LENGTHS[kind];
  byId("temperature").value = temperature;
  showTemperature();
  byId("generate").disabled = false;
  say("");
}

async function generate() {
  const { kind, symbols, warm_up: warmUp, sample_rate: rate = 1 } = network.about;
  const numbers = new Map(kind === "text" ? symbols.map((symbol, number) => [symbol, number]) : []);
  const prompt = kind === "text" ? spelled(byId("prompt").value, numbers, network.about.normal_form) : "";
  const read = [...warmUp, ...Array.from(prompt, (character) => numbers.get(character) ?? 0)];
  const asked = askedLength(kind);
  if (asked === null) return;
  const length = Math.max(1, Math.round(kind === "sound" ? asked * rate : asked));
  network.condition = Number(byId("condition").value);
  const generated = network.generate(read, Number(byId("temperature").value));
  const made = [];
  const live = kind === "sound" ? new Live(rate, length) : null;
  begin(kind, prompt);
  const started = performance.now();
  while (isBusy && made.length < length) {
    const until = performance.now() + SLICE;
    const fresh = [];
    while (performance.now() < until && made.length + fresh.length < length) fresh.push(generated.next().value);
    made.push(...fresh);
    if (live) live.add(fresh, (performance.now() - started) / 1000);
    else if (kind === "text") byId("text").append(fresh.map((symbol) => symbols[symbol]).join(""));
    else showNotes(made);
    say(`${made.length.toLocaleString("en")} of ${length.toLocaleString("en")}${live?.remark ?? ""}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const seconds = (performance.now() - started) / 1000;
  const remark = live?.end(seconds) ?? "";
  end(`${made.length.toLocaleString("en")} ${MADE[kind]} in ${seconds.toFixed(1)} s${remark}`);
}

// How much is asked for, in what the field says; null where that cannot be, which is then said.
function askedLength(kind) {
  const text = byId("length").value.trim();
  const number = text ? Number(text.replace(",", ".")) : LENGTHS[kind];
  const most = kind === "sound" ? LONGEST_SOUND : Number.MAX_SAFE_INTEGER;
  if (number > 0 && number <= most) return number;
  const upTo = kind === "sound" ? ` and at most ${most}` : "";
  say(`${UNITS[kind]}: '${text}' is not a number above 0${upTo}.`);
  return null;
}

// A sound that is being made: it is heard meanwhile, if the device keeps up.
class Live {
  constructor(rate, length) {
    Object.assign(this, { rate, made: 0, waiting: [], isHeard: null, remark: "" });
    sound = new Float32Array(length);
    speaker.begin(rate);
  }

  add(symbols, seconds) {
    const { samples } = network.about;
    const fresh = Float32Array.from(symbols, (symbol) => samples[symbol]);
    sound.set(fresh, this.made);
    this.made += fresh.length;
    this.isHeard ??= keepsUp(this.made, this.rate, seconds);
    if (this.isHeard === null) return;
    if (this.isHeard && speaker.context) {
      if (!this.remark) byId("play").textContent = "Silence";
      speaker.add(this.remark ? fresh : sound.slice(0, this.made));
    }
    const times = (this.made / this.rate / seconds).toFixed(1);
    this.remark = this.isHeard
      ? "; it is heard while it is made"
      : `; this device makes ${times} s of it in a second, so it plays when it is made`;
  }

  // What to say of it when it is made; then a sound that was not heard yet plays, unless it was stopped.
  end(seconds) {
    const wasStopped = !isBusy;
    sound = sound.slice(0, this.made);
    if (this.isHeard) speaker.complete();
    else if (wasStopped) speaker.stop();
    else {
      speaker.add(sound);
      speaker.complete();
      byId("play").textContent = "Silence";
    }
    const late = speaker.isLate ? "; it fell silent on the way, because this device was too slow" : "";
    return `, ${(this.made / this.rate / seconds).toFixed(1)} times as fast as it plays${late}`;
  }
}

// The text in the normal form of Unicode in which the fewest of its characters are unknown, `form` before the others.
function spelled(text, numbers, form) {
  const spellings = (form === "NFD" ? ["NFD", "NFC"] : ["NFC", "NFD"]).map((one) => text.normalize(one));
  if (form) spellings.push(text);
  else spellings.unshift(text);
  const unknown = (spelling) => Array.from(spelling).filter((character) => !numbers.has(character)).length;
  return spellings.reduce((best, one) => (unknown(one) < unknown(best) ? one : best));
}

function begin(kind, prompt) {
  isBusy = true;
  notes = [];
  player.stop();
  byId("save").hidden = true;
  byId("generate").disabled = true;
  byId("stop").disabled = false;
  byId("play").hidden = true;
  byId("roll").hidden = true;
  byId("text").textContent = prompt;
  byId("text").hidden = kind !== "text";
}

function end(summary) {
  isBusy = false;
  byId("generate").disabled = false;
  byId("stop").disabled = true;
  const isSound = network.about.kind === "sound" && sound.length > 0;
  byId("play").hidden = !notes.length && !isSound;
  if (isSound) offer();
  say(summary);
}

function showNotes(made) {
  notes = notesOf(made, network.about);
  byId("roll").hidden = !notes.length;
  if (notes.length) drawRoll(byId("roll-canvas"), notes, network.about);
}

function hear() {
  const { kind, sample_rate: rate } = network.about;
  if (kind === "sound") {
    speaker.begin(rate);
    speaker.add(sound);
    speaker.complete();
  } else player.play(notes, network.about);
  byId("play").textContent = "Silence";
}

function hush() {
  player.stop();
  speaker.stop();
}

// The sound as a file.
function offer() {
  URL.revokeObjectURL(byId("save").href);
  byId("save").href = URL.createObjectURL(wavOf(sound, network.about.sample_rate));
  byId("save").download = `${network.about.name}.wav`;
  byId("save").hidden = false;
}

function showTemperature() {
  byId("temperature-value").textContent = Number(byId("temperature").value).toFixed(2);
}

function say(sentence) {
  byId("status").textContent = sentence;
}
