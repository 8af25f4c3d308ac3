// The page: what the person asks for, and the result as it is made.

import { Network } from "./network.js";
import { drawRoll, notesOf, Player } from "./notes.js";

const byId = (id) => document.getElementById(id);
// Milliseconds of generating between two looks at the page.
const SLICE = 30;
const LENGTHS = { text: 500, notes: 256 };

const player = new Player(() => {
  byId("play").textContent = "Play";
});
let network = null;
let isBusy = false;
let notes = [];

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (network && !isBusy) generate();
});
byId("stop").addEventListener("click", () => {
  isBusy = false;
  player.stop();
});
byId("play").addEventListener("click", () => {
  if (player.context) player.stop();
  else hear();
});
byId("temperature").addEventListener("input", showTemperature);
open().catch((error) => say(`The network cannot be opened: ${error.message}.`));

async function open() {
  network = await Network.load();
  const { kind, name, temperature, source = "" } = network.about;
  document.title = name;
  byId("title").textContent = name;
  byId("source").textContent = source;
  byId("origin").hidden = !source;
  byId("prompt-field").hidden = kind !== "text";
  byId("unit").textContent = kind === "text" ? "Characters" : "Steps";
  byId("length").value = LENGTHS[kind];
  byId("temperature").value = temperature;
  showTemperature();
  byId("generate").disabled = false;
  say("");
}

async function generate() {
  const { kind, symbols, warm_up: warmUp } = network.about;
  const prompt = kind === "text" ? byId("prompt").value : "";
  const numbers = new Map(kind === "text" ? symbols.map((symbol, number) => [symbol, number]) : []);
  const read = [...warmUp, ...Array.from(prompt, (character) => numbers.get(character) ?? 0)];
  const length = Math.max(1, Math.round(Number(byId("length").value)) || LENGTHS[kind]);
  const generated = network.generate(read, Number(byId("temperature").value));
  const made = [];
  player.stop();
  begin(kind, prompt);
  const started = performance.now();
  while (isBusy && made.length < length) {
    const until = performance.now() + SLICE;
    const fresh = [];
    while (performance.now() < until && made.length + fresh.length < length) fresh.push(generated.next().value);
    made.push(...fresh);
    if (kind === "text") byId("text").append(fresh.map((symbol) => symbols[symbol]).join(""));
    else showNotes(made);
    say(`${made.length.toLocaleString("en")} of ${length.toLocaleString("en")}`);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const seconds = (performance.now() - started) / 1000;
  end(`${made.length.toLocaleString("en")} ${kind === "text" ? "characters" : "steps"} in ${seconds.toFixed(1)} s`);
}

function begin(kind, prompt) {
  isBusy = true;
  notes = [];
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
  byId("play").hidden = !notes.length;
  say(summary);
}

function showNotes(made) {
  notes = notesOf(made, network.about);
  byId("roll").hidden = !notes.length;
  if (notes.length) drawRoll(byId("roll-canvas"), notes, network.about);
}

function hear() {
  player.play(notes, network.about);
  byId("play").textContent = "Silence";
}

function showTemperature() {
  byId("temperature-value").textContent = Number(byId("temperature").value).toFixed(2);
}

function say(sentence) {
  byId("status").textContent = sentence;
}
