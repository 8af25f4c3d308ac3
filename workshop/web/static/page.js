// The page: the form asks, the connection answers, and the results are shown as they are made, one after the other.

import { Compare } from "./compare.js";
import { Connection } from "./connection.js";
import { Fields } from "./fields.js";
import { listing } from "./files.js";
import { Keys } from "./keys.js";
import { Melody } from "./melody.js";
import { connectMidi } from "./midi.js";
import { showNetwork } from "./network.js";
import { OwnFiles } from "./own.js";
import { Piece } from "./piece.js";
import { Recorder } from "./record.js";
import { Training } from "./train.js";
import { valuesOf, wishes } from "./plan.js";

const byId = (id) => document.getElementById(id);

const NO_NETWORK =
  "There is no trained network yet: ./start.sh demo trains the first one in a few minutes. Then reload this page.";

let fields = null;
let compare = null;
let training = null;
let connection = null;
// The results on the page, those that are still to be made, and the one that is being made.
let pieces = [];
let waiting = [];
let current = null;
let first = null; // the seed of the first result
let hasFailed = false;

// ---- what the person does

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!current) generate();
});
byId("stop").addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !current) {
    event.preventDefault();
    byId("settings").requestSubmit();
  }
  if (event.key === "Escape") stop();
});

function generate() {
  if (!fields.entry || fields.entry.problem) return;
  for (const piece of pieces) piece.hush();
  const { columns, variants } = compare;
  pieces = [];
  first = null;
  hasFailed = false;
  waiting = wishes(columns, variants);
  byId("pieces").replaceChildren();
  byId("pieces").classList.toggle("two", columns.length > 1);
  say("Getting the network ready …");
  next();
}

// Ask for the next result.
function next() {
  const wish = waiting.shift();
  const isAlone = !pieces.length && !waiting.length;
  const atOnce = byId("at-once").checked && !pieces.length;
  current = new Piece({ title: wish.title, isAlone, atOnce, say, plays, ended: update });
  connection.say({ type: "start", experiment: wish.entry.id, values: valuesOf(wish, first) });
  update();
}

function stop() {
  waiting = [];
  for (const piece of pieces) piece.hush();
  if (current) connection.say({ type: "stop" });
  update();
}

// Only one of them is heard.
function plays(piece) {
  for (const other of pieces) if (other !== piece) other.hush();
  update();
}

// ---- what the server says

function heard(message) {
  if (message.type in answers) answers[message.type](message);
  else current?.hear(message);
}

const answers = {
  queued: ({ place }) => say(`Others are generating: yours is number ${place} in the queue.`),
  begun(message) {
    first ??= message.seed;
    pieces.push(current);
    byId("pieces").append(current.box);
    current.hear(message);
    byId("empty").hidden = true;
    byId("progress").hidden = false;
    // On a phone the result is below the form.
    if (pieces.length === 1 && byId("result").getBoundingClientRect().top > window.innerHeight - 200) {
      byId("result").scrollIntoView();
    }
    say(current.isAlone ? "Generating …" : `Generating ${current.title} …`);
  },
  progress(message) {
    current?.hear(message);
    byId("progress").value = current?.share ?? 0;
  },
  done(message) {
    current?.hear(message);
    say(summary());
  },
  error({ sentence }) {
    hasFailed = true;
    waiting = [];
    byId("empty").hidden = true;
    say(sentence, true);
  },
  free() {
    if (current && !current.id && !hasFailed) say("Stopped.");
    current = null;
    if (waiting.length) next();
    else isOver();
  },
};

// What has been made, in words.
function summary() {
  const done = pieces.filter((piece) => piece.id);
  if (done.length === 1 && done[0].isAlone) return done[0].summary;
  return `${done.length} of ${pieces.length + waiting.length} are made.`;
}

// ---- what is shown

function say(sentence, isProblem = false) {
  // What is there already is not set again: a screen reader would read it again.
  if (byId("status").textContent !== sentence) byId("status").textContent = sentence;
  byId("status").classList.toggle("problem", isProblem);
}

function isOver() {
  current = null;
  byId("progress").hidden = true;
  byId("progress").value = 0;
  update();
}

function update() {
  const { entry } = fields ?? {};
  byId("generate").disabled = Boolean(current) || !connection?.isOpen || !entry || Boolean(entry.problem);
  byId("stop").disabled = !current && !pieces.some((piece) => piece.isLive);
}

function redraw() {
  training?.draw();
  for (const piece of pieces) piece.redraw();
}
for (const id of ["result", "training"]) new ResizeObserver(redraw).observe(byId(id));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

// ---- the beginning

// There may be other experiments or data than before.
async function renew() {
  const found = await listing().catch(() => null);
  if (!found) return;
  const had = fields.entry?.id;
  fields.renew(found);
  compare.show();
  training.offer(found);
  if (fields.entry?.id !== had) chosen();
  update();
}

function preparePrompts() {
  const box = byId("melody");
  const melody = new Melody(box);
  new Keys(box.querySelector(".keys"), melody);
  connectMidi(box.querySelector(".connect"), box.querySelector(".midi"), melody);
  new Recorder(byId("recording"));
}

function opened() {
  update();
  say(pieces.some((piece) => piece.id) ? summary() : fields.entry ? "Ready." : NO_NETWORK);
  if (fields.entry && !fields.entry.problem) connection.say({ type: "warm", experiment: fields.entry.id });
}

function lost(reason) {
  if (current?.isLive) current.live.complete();
  waiting = [];
  isOver();
  const why = reason ? `The server has closed the connection (${reason})` : "The server does not answer";
  say(`${why}; the page asks again.${reason ? "" : " Is ./start.sh play still running?"}`, true);
}

function chosen(entry = fields.entry) {
  showNetwork(entry);
  compare?.show();
  update();
  connection?.say({ type: "warm", experiment: fields.entry.id });
}

try {
  const found = await listing();
  fields = new Fields(found, chosen);
  compare = new Compare(fields);
  preparePrompts();
  training = new Training(found, renew);
  new OwnFiles(found.files, renew);
  connection = new Connection({ heard, opened, lost });
} catch (error) {
  say(error.message, true);
}
