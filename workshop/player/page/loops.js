// The page of a network of loops: the player makes them, and they are repeated here without a gap.

const byId = (id) => document.getElementById(id);
// Numbers are from 0 to one less.
const NUMBERS = 2 ** 31;

let about = null;
let sound = null;
let context = null;

byId("settings").addEventListener("submit", (event) => {
  event.preventDefault();
  if (about && !byId("make").disabled) make().catch(report);
});
byId("random").addEventListener("click", () => {
  byId("seed").value = Math.floor(Math.random() * NUMBERS);
  make().catch(report);
});
byId("play").addEventListener("click", () => (context ? hush() : hear()));
open().catch((error) => say(`The network cannot be opened: ${error.message}.`));

async function open() {
  about = await (await asked("about.json")).json();
  document.title = about.name;
  byId("title").textContent = about.name;
  enable(true);
  say(`${about.beats} beats at ${about.bpm.toFixed(0)} beats a minute, from ${about.latent} latent values.`);
}

async function make() {
  const seed = Number(byId("seed").value);
  if (!Number.isInteger(seed) || seed < 0 || seed >= NUMBERS) {
    say("A number is a whole one, from 0 to 2,147,483,647.");
    return;
  }
  enable(false);
  say("Making it …");
  const address = `loop.wav?seed=${seed}`;
  const started = performance.now();
  const content = await (await asked(address)).arrayBuffer();
  const seconds = (performance.now() - started) / 1000;
  // Decoded at its own rate: so it has exactly its samples, and loops.
  sound = await new OfflineAudioContext(1, 1, about.rate).decodeAudioData(content);
  Object.assign(byId("save"), { href: address, download: `${about.name}-${seed}.wav`, hidden: false });
  byId("play").hidden = false;
  enable(true);
  hush();
  hear();
  say(`${sound.duration.toFixed(2)} s, made in ${seconds.toFixed(2)} s; it is repeated until you stop it.`);
}

// Called by a click: then browsers allow sound.
function hear() {
  context = new AudioContext();
  const source = new AudioBufferSourceNode(context, { buffer: sound, loop: true });
  source.connect(context.destination);
  source.start();
  byId("play").textContent = "Silence";
}

function hush() {
  context?.close();
  context = null;
  byId("play").textContent = "Play";
}

async function asked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer;
}

function report(error) {
  enable(true);
  say(`It could not be made: ${error.message}.`);
}

function enable(isReady) {
  byId("make").disabled = byId("random").disabled = !isReady;
}

function say(sentence) {
  byId("status").textContent = sentence;
}
