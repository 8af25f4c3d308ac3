// Files of one's own: chosen or dropped, sent one after the other, and looked at by `inspect`.

import { NO_ANSWER } from "./files.js";

const byId = (id) => document.getElementById(id);

export class OwnFiles {
  // suffixes: of the files that the server takes; largest: bytes of a file; changed() is called when some have come.
  constructor({ suffixes, largest }, changed) {
    Object.assign(this, { suffixes, largest, changed, isBusy: false });
    byId("own-files").accept = suffixes.join();
    byId("own-files").addEventListener("change", ({ target }) => {
      const files = [...target.files];
      target.value = "";
      this.take(files);
    });
    this.listenForDrops();
  }

  listenForDrops() {
    const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.take([...event.dataTransfer.files]);
    });
  }

  async take(files) {
    if (this.isBusy || !files.length) return;
    this.isBusy = true;
    byId("own-files").disabled = true;
    const kinds = new Set();
    const refused = [];
    for (const [number, file] of files.entries()) {
      say(`Taking ${number + 1} of ${files.length} …`);
      try {
        kinds.add((await this.send(file)).kind);
      } catch (error) {
        refused.push(error.message);
      }
    }
    const taken = `${files.length - refused.length} of ${files.length} taken.`;
    if (kinds.size) say("Looking at them …");
    const verdicts = await Promise.all([...kinds].map((kind) => look(kind).catch((error) => refused.push(error.message) && null)));
    byId("verdicts").replaceChildren(...verdicts.filter(Boolean).map(shown));
    say([taken, ...refused.slice(0, 3)].join(" "), refused.length > 0);
    byId("own-files").disabled = false;
    this.isBusy = false;
    this.changed();
  }

  async send(file) {
    if (file.size > this.largest) {
      throw new Error(`${file.name} is too large: the page takes files of at most ${this.largest >> 20} MB.`);
    }
    // A folder looks like a file until it is read.
    await file.slice(0, 1).arrayBuffer().catch(() => {
      throw new Error(`${file.name} cannot be read: choose files, not folders.`);
    });
    return asked(`mine?name=${encodeURIComponent(file.name)}`, file);
  }
}

async function look(kind) {
  return asked(`mine/${kind}`, "");
}

async function asked(address, body) {
  const answer = await fetch(address, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) throw new Error(answer ? (await answer.text()).trim() : NO_ANSWER);
  return answer.json();
}

function say(sentence, isProblem = false) {
  byId("own-status").textContent = sentence;
  byId("own-status").classList.toggle("problem", isProblem);
}

function shown({ folder, report, command }) {
  const box = byId("verdict").content.firstElementChild.cloneNode(true);
  const words = report.trimEnd().split("\n").pop().replace(/^verdict\s+/, "");
  box.setAttribute("aria-label", folder);
  box.querySelector(".words").textContent = `${folder}: ${words}`;
  box.querySelector(".report").textContent = report;
  box.querySelector(".command").textContent = command;
  return box;
}
