// The page of loops: slots that the server makes of points in a latent space, and a mixer that plays them in time.

import { Clock } from "./clock.js";
import { downloadLinks, keep, listing } from "./files.js";
import { keepFor, keptFor } from "./memory.js";
import { Mixer } from "./mixer.js";
import { Pad } from "./pad.js";
import { morphed, random } from "./points.js";
import { follow } from "./remote.js";
import { Slot } from "./slot.js";

const byId = (id) => document.getElementById(id);

const SLOTS = 8;
const PLACE = "loops"; // where the browser keeps what was made
const NO_NETWORK =
  "There is no network that makes loops yet: train one in the folder spectral_gan with python train.py. Then reload this page.";
const NO_ANSWER = "The server does not answer. Is ./start.sh play still running?";

let experiments = [];
let space = null; // of the chosen experiment: latent_size, rate, bpm, beats, directions
let bpm = 0;
let held = 0; // the tempo of the loops in the mixer; the one that is asked for may still be refused
let selected = 0;

const slots = Array.from({ length: SLOTS }, (_, place) => new Slot(place, {
  chosen: (slot) => select(slot.place),
  levelled: (slot) => mixer.level(slot.place, slot.level),
  muted(slot) {
    mixer.mute(slot.place, slot.isMuted);
    update();
  },
  locked: () => select(selected),
  earlier: (slot) => moveUp(slot),
}));
const mixer = new Mixer(SLOTS, began);
const pad = new Pad((place) => change(slots[selected], { pad: place }));
const clock = new Clock(byId("midi"), byId("midi-status"), {
  mute(place) {
    if (slots[place]) slots[place].isMuted = !slots[place].isMuted;
  },
  level(place, value) {
    if (slots[place]) slots[place].level = value;
  },
  start: () => space && play(),
  stop,
  tempo,
});

// ---- the server

async function ask(what, wish) {
  const body = JSON.stringify({ experiment: byId("experiment").value, bpm, ...wish });
  const answer = await fetch(`loops/${what}`, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) throw new Error(answer ? await answer.text() : NO_ANSWER);
  return answer;
}

async function soundOf(slot) {
  const samples = new Int16Array(await (await ask("made", { slot: slot.wish(space.directions, slots) })).arrayBuffer());
  return Float32Array.from(samples, (value) => value / 32768);
}

// Make the loops of a slot, and again if it has changed meanwhile. The mixer holds what was made last.
async function fill(slot) {
  slot.changes += 1;
  slot.isStale = true;
  if (slot.isBusy) return;
  slot.isBusy = true;
  slot.show();
  try {
    while (slot.isStale && space) {
      slot.isStale = false;
      const [of, at] = [space, bpm];
      const made = slot.point && (await soundOf(slot));
      if (of === space && at === bpm) mixer.fill(slot.place, made);
      else slot.isStale = slot.point !== null;
    }
  } catch (error) {
    say(error.message, true);
  }
  slot.isBusy = false;
  slot.show();
  update();
}

// ---- what the person does

function select(place) {
  selected = place;
  const slot = slots[place];
  for (const each of slots) each.row.classList.toggle("selected", each === slot);
  byId("point-title").textContent = slot.name;
  pad.show(slot.pad);
  pad.lock(slot.isLocked);
  byId("target").replaceChildren(...slots.filter((other) => other !== slot).map((other) => new Option(other.place + 1, other.place)));
  if (slot.target !== null) byId("target").value = slot.target;
  byId("way").value = slot.way;
  if (![...byId("steps").options].some(({ value }) => Number(value) === slot.steps)) byId("steps").add(new Option(slot.steps));
  byId("steps").value = slot.steps;
  update();
}

// Change a slot, and make its loops.
function change(slot, what) {
  if (!space || slot.isLocked) return;
  Object.assign(slot, what);
  slot.point ??= random(space.latent_size);
  fill(slot);
  // Ways that lead to it lead elsewhere now.
  for (const other of slots) if (other.way !== "stay" && other.target === slot.place && other.point && other !== slot) fill(other);
}

function fresh(slot, point) {
  slot.standAt(point);
  if (slot.place === selected) pad.show(slot.pad);
}

function renew(slot, point) {
  fresh(slot, point);
  change(slot, {});
}

function clear(slot) {
  slot.changes += 1;
  fresh(slot, null);
  mixer.fill(slot.place, null);
  slot.show();
  update();
}

function drawAll() {
  for (const slot of slots) {
    if (slot.isLocked) continue;
    fresh(slot, random(space.latent_size));
    fill(slot);
  }
}

// The point of a seed.
async function draw(slot, seed) {
  const of = space;
  try {
    const { point } = await (await ask("point", { seed })).json();
    if (of === space && !slot.isLocked) renew(slot, point);
  } catch (error) {
    say(error.message, true);
  }
}

byId("random").addEventListener("click", () => renew(slots[selected], random(space.latent_size)));
byId("morph").addEventListener("click", () => {
  const slot = slots[selected];
  renew(slot, morphed(slot.at(space.directions) ?? random(space.latent_size), Number(byId("amount").value)));
});
byId("empty").addEventListener("click", () => clear(slots[selected]));
byId("all").addEventListener("click", drawAll);
for (const id of ["way", "target", "steps"]) {
  byId(id).addEventListener("change", () => {
    const lead = { way: byId("way").value, target: Number(byId("target").value), steps: Number(byId("steps").value) };
    change(slots[selected], lead);
    update();
  });
}
byId("amount").addEventListener("input", showAmount);
byId("in-turn").addEventListener("change", () => mixer.inTurn(Boolean(byId("in-turn").value)));
byId("experiment").addEventListener("change", () => choose());
byId("bpm").addEventListener("change", retime);
byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (document.activeElement === byId("bpm") && typed("bpm") !== bpm) retime();
  else if (!byId("play").disabled) play();
});
byId("stop").addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
});

function moveUp(slot) {
  const at = mixer.order.indexOf(slot.place);
  if (at === 0) return;
  const places = [...mixer.order];
  places.splice(at - 1, 2, slot.place, places[at - 1]);
  order(places);
  slot.part(at === 1 ? "chosen" : "earlier").focus();
}

function order(places) {
  mixer.order = places;
  byId("slots").append(...places.map((place) => slots[place].row));
}

function play() {
  mixer.play();
  say("Playing.");
  update();
}

function stop() {
  if (!mixer.isPlaying) return;
  mixer.stop();
  clock.sendStop();
  for (const slot of slots) slot.row.classList.remove("heard");
  say("Stopped.");
  update();
}

// A bar is about to begin.
function began(bar, at, context) {
  const seconds = mixer.length / mixer.rate;
  clock.sendBar(bar, at, context, space.beats, seconds);
  const { heard, isInTurn } = mixer;
  const now = isInTurn ? heard.slice(bar % heard.length, (bar % heard.length) + 1) : heard;
  setTimeout(() => {
    if (mixer.context !== context) return;
    for (const slot of slots) slot.row.classList.toggle("heard", now.includes(slot.place));
  }, 1000 * Math.max(at - context.currentTime, 0));
}

function tempo(wanted) {
  byId("bpm").value = wanted;
  retime();
}

// All loops at another tempo, as high as before: they are made again, and go on together.
async function retime() {
  if (!space) return; // a network comes with a tempo
  const wanted = typed("bpm");
  bpm = wanted;
  say("The loops are made at another tempo …");
  try {
    // The first alone: a tempo that the server refuses is refused once.
    const filled = slots.filter((slot) => slot.point);
    const changes = slots.map((slot) => slot.changes);
    // The server alone knows which tempo can be, and is asked even where there is nothing to make.
    if (!filled.length) await ask("made", { slot: { start: random(space.latent_size) } });
    const first = filled.length ? [await soundOf(filled[0])] : [];
    const made = [...first, ...(await Promise.all(filled.slice(1).map(soundOf)))];
    if (bpm !== wanted || !space) return;
    held = bpm;
    mixer.retime(barOf(bpm), slots.map((slot) => made[filled.indexOf(slot)] ?? null));
    for (const slot of slots) if (slot.changes !== changes[slot.place]) fill(slot); // it was changed meanwhile
    say(mixer.isPlaying ? "Playing." : "Ready.");
  } catch (error) {
    if (!space || bpm !== wanted) return;
    bpm = held;
    byId("bpm").value = bpm;
    say(error.message, true);
  }
}

// The number in a field; where it is none, the text, for the server to say so.
function typed(id) {
  const number = Number(byId(id).value.trim().replace(",", ".") || NaN);
  return Number.isNaN(number) ? byId(id).value : number;
}

function barOf(tempo) {
  return Math.round((space.samples * space.bpm) / tempo);
}

// ---- the mix as a file

byId("mix").addEventListener("click", async () => {
  byId("mix").disabled = true;
  byId("kept").textContent = "";
  try {
    const wishes = mixer.heard.map((place) => slots[place].wish(space.directions, slots));
    const wish = { slots: wishes, bars: typed("bars"), in_turn: mixer.isInTurn };
    showFiles(await (await ask("mix", wish)).json());
  } catch (error) {
    byId("kept").textContent = error.message;
  }
  update();
});
byId("keep").addEventListener("click", () => keep(byId("keep").dataset.id, byId("keep"), byId("kept")));

function showFiles({ id, formats }) {
  byId("player").src = `made/${id}.wav`;
  byId("player").hidden = byId("after").hidden = false;
  byId("keep").disabled = false;
  byId("keep").dataset.id = id;
  byId("after").querySelector(".downloads").replaceChildren(...downloadLinks(id, formats));
}

// ---- what is shown

function say(sentence, isProblem = false) {
  byId("status").textContent = sentence;
  byId("status").classList.toggle("problem", isProblem);
}

function showAmount() {
  byId("amount-value").textContent = Number(byId("amount").value).toFixed(2);
}

function update() {
  const slot = slots[selected];
  const isOpen = space !== null && !slot.isLocked;
  for (const id of ["random", "morph", "way"]) byId(id).disabled = !isOpen;
  byId("empty").disabled = !isOpen || !slot.point;
  byId("target").disabled = byId("steps").disabled = !isOpen || byId("way").value === "stay";
  byId("all").disabled = space === null;
  byId("mix").disabled = !mixer.heard.length;
  byId("play").disabled = space === null || mixer.isPlaying;
  byId("stop").disabled = !mixer.isPlaying;
  for (const each of slots) each.show();
}

// ---- other programs

follow({
  slots,
  mixer,
  ready() {
    if (!space) throw new Error("no network is ready on the page of loops: choose one there");
    return space;
  },
  bpm: () => bpm,
  play,
  stop,
  tempo,
  turn(isInTurn) {
    byId("in-turn").value = isInTurn ? "yes" : "";
    mixer.inTurn(isInTurn);
  },
  order,
  drawAll,
  draw,
  renew,
  clear,
  move(slot, place) {
    if (slot.place === selected) pad.show(place);
    change(slot, { pad: place });
  },
  lead(slot, where) {
    change(slot, where);
    select(selected);
  },
});

// ---- the beginning

// All that was made on the page; null before there is anything, so that what was kept before stays.
function made() {
  if (!space) return null;
  return {
    experiment: byId("experiment").value,
    size: space.latent_size,
    bpm: held,
    isInTurn: mixer.isInTurn,
    order: mixer.order,
    slots: slots.map((slot) => slot.made),
  };
}

// Make it again, or else one slot at random.
function beginWith(before) {
  bpm = held = before?.bpm ?? space.bpm;
  byId("bpm").value = bpm;
  mixer.begin(space.rate, barOf(bpm));
  for (const slot of slots) slot.standAt(null);
  if (before) {
    slots.forEach((slot, place) => Object.assign(slot, before.slots[place]));
    order(before.order);
    byId("in-turn").value = before.isInTurn ? "yes" : "";
    mixer.inTurn(before.isInTurn);
  } else {
    fresh(slots[0], random(space.latent_size));
  }
  select(0);
}

async function choose(before = null) {
  stop();
  space = null;
  update();
  const entry = experiments.find(({ id }) => id === byId("experiment").value);
  byId("message").textContent = entry.message;
  say("Getting the network ready …");
  try {
    const found = await (await ask("space", {})).json();
    if (entry.id !== byId("experiment").value) return;
    space = found;
    beginWith(before?.size === space.latent_size ? before : null);
    say("Ready.");
    await Promise.all(slots.filter((slot) => slot.point).map(fill));
  } catch (error) {
    say(error.message, true);
  }
}

byId("slots").append(...slots.map(({ row }) => row));
showAmount();
select(0);
try {
  experiments = (await listing()).experiments.filter((entry) => entry.is_generator && !entry.problem);
  byId("experiment").replaceChildren(...experiments.map(({ id, lesson, name }) => new Option(`${lesson} ${name}`, id)));
  const before = keptFor(PLACE);
  const isThere = experiments.some(({ id }) => id === before?.experiment);
  if (isThere) byId("experiment").value = before.experiment;
  if (experiments.length) await choose(isThere ? before : null);
  else say(NO_NETWORK);
  keepFor(PLACE, made);
} catch (error) {
  say(error.message, true);
}
