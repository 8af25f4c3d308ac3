// The page: the form asks, the connection answers, and the result is shown as it is made.

import { Connection } from "./connection.js";
import { Fields } from "./fields.js";
import { Live } from "./live.js";
import { Roll } from "./roll.js";
import { showScore } from "./score.js";
import { Wave } from "./wave.js";

const byId = (id) => document.getElementById(id);
const player = byId("player");
const text = byId("text");

const roll = new Roll(byId("roll"), seek);
const wave = new Wave(byId("wave"), seek);
const live = new Live((seconds) => wave.at(seconds), soundIsOver);

const NO_NETWORK =
  "There is no trained network yet: ./start.sh demo trains the first one in a few minutes. Then reload this page.";

let fields = null;
let connection = null;
// What is being generated, or has been: what the server says of it, and how far it is.
let made = null;
let isBusy = false;

// ---- what the person does

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isBusy) generate();
});
byId("stop").addEventListener("click", stop);
byId("keep").addEventListener("click", keep);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isBusy) {
    event.preventDefault();
    byId("settings").requestSubmit();
  }
  if (event.key === "Escape") stop();
});

function generate() {
  const { entry } = fields;
  if (!entry || entry.problem) return;
  clear();
  made = { makes: entry.makes, length: 0 };
  setBusy(true);
  say("Getting the network ready …");
  connection.say({ type: "start", experiment: entry.id, values: fields.values() });
}

function stop() {
  live.stop();
  player.pause();
  if (isBusy) connection.say({ type: "stop" });
  update();
}

async function keep() {
  byId("keep").disabled = true;
  const answer = await fetch(`keep/${made.id}`, { method: "POST" }).catch(() => null);
  if (answer?.ok) byId("kept").textContent = `Kept as ${(await answer.json()).files.join(", ")}`;
  else {
    byId("kept").textContent = answer ? await answer.text() : "The server does not answer.";
    byId("keep").disabled = false;
  }
}

function seek(seconds) {
  if (player.hidden || !Number.isFinite(seconds)) return;
  player.currentTime = Math.max(seconds, 0);
  player.play();
}

// ---- what the server says

function heard(message) {
  if (message instanceof ArrayBuffer) hearSound(message);
  else if (message.type in answers) answers[message.type](message);
}

const answers = {
  queued: ({ place }) => say(`Others are generating: yours is number ${place} in the queue.`),
  begun(message) {
    Object.assign(made, message);
    byId("empty").hidden = true;
    byId("progress").hidden = false;
    if (made.makes === "text") text.hidden = false;
    if (made.makes === "sound") beginSound();
    // On a phone the result is below the form.
    if (byId("result").getBoundingClientRect().top > window.innerHeight - 200) byId("result").scrollIntoView();
    say("Generating …");
  },
  text({ text: more }) {
    const below = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
    text.append(more);
    if (below) text.scrollTop = text.scrollHeight;
  },
  notes: ({ notes, tempo }) => {
    made.notes = notes.length;
    if (notes.length) roll.show(notes, tempo);
  },
  score: ({ abc }) => showScore(byId("score"), abc).catch((error) => say(error.message, true)),
  progress({ made: count, seconds }) {
    made.count = count;
    made.seconds = seconds;
    byId("progress").value = count / made.length;
    if (live.isOn && live.pace(seconds) < 1 && !live.isPlaying) {
      say("This computer makes the sound slower than it plays: it is heard once enough of it is made.");
    }
  },
  done(message) {
    Object.assign(made, message);
    say(summary());
    showFiles();
    if (live.isOn) live.complete();
  },
  error({ sentence }) {
    if (made) made.failed = true;
    byId("empty").hidden = true;
    say(sentence, true);
  },
  free() {
    if (isBusy && !made.id && !made.failed) say("Stopped.");
    setBusy(false);
  },
};

function summary() {
  const seconds = made.seconds.toFixed(made.seconds < 10 ? 1 : 0);
  const count = {
    text: () => `${made.count.toLocaleString("en")} characters`,
    notes: () => (made.notes ? `${made.notes.toLocaleString("en")} notes` : "No notes, only silence: try a higher temperature"),
    sound: () => `${(made.count / made.rate).toFixed(1)} s of sound`,
  }[made.makes]();
  return `${made.stopped ? "Stopped: " : ""}${count}, made in ${seconds} s with seed ${made.seed}.${made.remark ?? ""}`;
}

// ---- sound

function beginSound() {
  wave.begin(made.length, made.rate);
  if (!byId("at-once").checked) return;
  if (Live.isPossible) live.begin(made.length, made.rate);
  else made.remark = " At this address the browser plays a sound only once it is finished: https and localhost do more.";
}

function hearSound(buffer) {
  const samples = Float32Array.from(new Int16Array(buffer), (value) => value / 32768);
  wave.add(samples);
  live.add(samples);
}

function soundIsOver(late) {
  wave.head.hide();
  if (late) say(`${summary()} It fell silent on the way, because this computer was too slow.`);
  update();
}

// ---- what is shown

function say(sentence, isProblem = false) {
  byId("status").textContent = sentence;
  byId("status").classList.toggle("problem", isProblem);
}

function setBusy(busy) {
  isBusy = busy;
  if (!busy) byId("progress").hidden = true;
  update();
}

function update() {
  byId("generate").disabled = isBusy || !connection?.isOpen || !fields?.entry || Boolean(fields.entry.problem);
  byId("stop").disabled = !isBusy && !live.isOn;
}

function clear() {
  live.stop();
  player.pause();
  player.removeAttribute("src");
  for (const id of ["text", "score", "player", "after"]) byId(id).hidden = true;
  text.replaceChildren();
  roll.clear();
  wave.clear();
  byId("kept").textContent = "";
  byId("progress").value = 0;
}

function showFiles() {
  byId("after").hidden = false;
  byId("keep").disabled = false;
  byId("downloads").replaceChildren(...made.formats.map(downloadLink));
  if (!made.formats.includes("wav")) return;
  player.src = `made/${made.id}.wav`;
  player.hidden = false;
  if (byId("at-once").checked && !live.isOn && !made.stopped && made.makes !== "text") {
    player.play().catch(() => say(`${summary()} Press play to hear it.`));
  }
}

function downloadLink(suffix) {
  const link = document.createElement("a");
  link.href = `made/${made.id}.${suffix}?download`;
  link.download = "";
  link.textContent = suffix;
  link.setAttribute("aria-label", `Download as ${suffix}`);
  return link;
}

// The line follows the player as long as it plays.
function follow() {
  const view = made.makes === "sound" ? wave : roll;
  if (!player.paused) {
    view.at(player.currentTime);
    requestAnimationFrame(follow);
  }
}
player.addEventListener("play", () => {
  live.stop();
  update();
  follow();
});
player.addEventListener("seeked", () => (made.makes === "sound" ? wave : roll).at(player.currentTime));
player.addEventListener("error", () => {
  if (player.getAttribute("src")) say("The sound cannot be played: generate it again.", true);
});

function redraw() {
  roll.draw();
  wave.draw();
}
new ResizeObserver(redraw).observe(byId("result"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

// ---- the beginning

async function list() {
  const answer = await fetch("listing");
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function opened() {
  update();
  say(made?.id ? summary() : fields.entry ? "Ready." : NO_NETWORK);
  if (fields.entry && !fields.entry.problem) connection.say({ type: "warm", experiment: fields.entry.id });
}

function lost() {
  if (live.isOn && isBusy) live.complete();
  setBusy(false);
  say("The server does not answer; the page asks again. Is ./start.sh play still running?", true);
}

function chosen() {
  update();
  connection?.say({ type: "warm", experiment: fields.entry.id });
}

try {
  const listing = await list();
  fields = new Fields(listing, chosen);
  connection = new Connection({ heard, opened, lost });
} catch (error) {
  say(error.message, true);
}
