// One result on the page: it grows as the server's messages come, and afterwards it is played, kept and downloaded.

import { downloadLinks, keep } from "./files.js";
import { Likely } from "./likely.js";
import { Live } from "./live.js";
import { Roll } from "./roll.js";
import { showScore } from "./score.js";
import { Wave } from "./wave.js";

const TOO_SLOW = "This computer makes the sound slower than it plays: it is heard once enough of it is made.";
const NOT_LIVE = " At this address the browser plays a sound only once it is finished: https and localhost do more.";

export class Piece {
  // title: what it is, in words; isAlone: whether there is no other, so that its title and summary need not be in it.
  // atOnce: whether it is played as soon as it can be; say(sentence, isProblem) tells the person;
  // plays(piece) is called when its player begins, and ended() when what was heard while it was made is over.
  constructor({ title, isAlone, atOnce, say, plays, ended }) {
    Object.assign(this, { title, isAlone, atOnce, say, plays, ended, made: 0, notes: 0, seconds: 0, remark: "" });
    this.box = document.getElementById("piece").content.firstElementChild.cloneNode(true);
    this.box.setAttribute("aria-label", title);
    this.part("title").textContent = title;
    this.part("title").hidden = this.part("summary").hidden = isAlone;
    this.player = this.part("player");
    this.text = this.part("text");
    const seek = (seconds) => this.seek(seconds);
    this.roll = new Roll(this.part("roll"), seek);
    this.wave = new Wave(this.part("wave"), seek);
    this.live = new Live((seconds) => this.wave.at(seconds), (late) => this.isOver(late));
    new Likely(this.part("likely"), () => `likely/${this.id}`);
    this.listen();
  }

  part(name) {
    return this.box.querySelector(`.${name}`);
  }

  // ---- what the server says of it

  hear(message) {
    if (message instanceof ArrayBuffer) this.addSound(message);
    else this[`on_${message.type}`]?.(message);
  }

  on_begun({ makes, seed, length, rate }) {
    Object.assign(this, { makes, seed, length, rate });
    if (makes === "text") this.text.hidden = false;
    if (makes === "sound") this.beginSound();
  }

  on_text({ text }) {
    const below = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < 40;
    this.text.append(text);
    if (below) this.text.scrollTop = this.text.scrollHeight;
  }

  on_notes({ notes, tempo }) {
    this.notes = notes.length;
    if (notes.length) this.roll.show(notes, tempo);
  }

  on_score({ abc }) {
    showScore(this.part("score"), abc).catch((error) => this.say(error.message, true));
  }

  on_progress({ made, seconds }) {
    Object.assign(this, { made, seconds });
    if (this.live.isOn && this.live.pace(seconds) < 1 && !this.live.isPlaying) this.say(TOO_SLOW);
  }

  on_done({ id, formats, stopped }) {
    Object.assign(this, { id, formats, stopped });
    this.part("summary").textContent = this.summary;
    this.showFiles();
    if (this.live.isOn) this.live.complete();
  }

  get share() {
    return this.made / this.length;
  }

  get summary() {
    const seconds = this.seconds.toFixed(this.seconds < 10 ? 1 : 0);
    const notes = this.notes ? `${this.notes.toLocaleString("en")} notes` : "No notes, only silence";
    const count = {
      text: () => `${this.made.toLocaleString("en")} characters`,
      notes: () => notes,
      sound: () => `${(this.made / this.rate).toFixed(1)} s of sound`,
    }[this.makes]();
    const isSilent = this.makes === "notes" && !this.notes;
    const cure = isSilent ? " Try a higher temperature or more steps." : "";
    return `${this.stopped ? "Stopped: " : ""}${count}, made in ${seconds} s with seed ${this.seed}.${cure}${this.remark}`;
  }

  // ---- sound while it is made

  beginSound() {
    this.wave.begin(this.length, this.rate);
    if (!this.atOnce) return;
    if (Live.isPossible) this.live.begin(this.length, this.rate);
    else this.remark = NOT_LIVE;
  }

  addSound(buffer) {
    const samples = Float32Array.from(new Int16Array(buffer), (value) => value / 32768);
    this.wave.add(samples);
    this.live.add(samples);
  }

  isOver(late) {
    this.wave.head.hide();
    if (late) this.say(`${this.summary} It fell silent on the way, because this computer was too slow.`);
    this.ended();
  }

  // ---- what it is afterwards

  get view() {
    return this.makes === "sound" ? this.wave : this.roll;
  }

  listen() {
    this.player.addEventListener("play", () => {
      this.live.stop();
      this.plays(this);
      this.follow();
    });
    this.player.addEventListener("seeked", () => this.view.at(this.player.currentTime));
    this.player.addEventListener("error", () => {
      if (this.player.getAttribute("src")) this.say("The sound cannot be played: generate it again.", true);
    });
    this.part("keep").addEventListener("click", () => keep(this.id, this.part("keep"), this.part("kept")));
  }

  // The line follows the player as long as it plays.
  follow() {
    if (this.player.paused) return;
    this.view.at(this.player.currentTime);
    requestAnimationFrame(() => this.follow());
  }

  seek(seconds) {
    if (this.player.hidden || !Number.isFinite(seconds)) return;
    this.player.currentTime = Math.max(seconds, 0);
    this.player.play();
  }

  hush() {
    this.live.stop();
    this.player.pause();
  }

  // Whether it is heard or will be, without the player.
  get isLive() {
    return this.live.isOn;
  }

  redraw() {
    this.roll.draw();
    this.wave.draw();
  }

  showFiles() {
    this.part("after").hidden = false;
    this.part("likely").hidden = this.makes === "sound";
    this.part("downloads").replaceChildren(...downloadLinks(this.id, this.formats, (label) => this.named(label)));
    this.part("keep").setAttribute("aria-label", this.named("Keep"));
    if (this.makes === "sound") this.showSpectrogram();
    if (!this.formats.includes("wav")) return;
    this.player.src = `made/${this.id}.wav`;
    this.player.hidden = false;
    if (this.atOnce && !this.live.isOn && !this.stopped && this.makes !== "text") {
      this.player.play().catch(() => this.say(`${this.summary} Press play to hear it.`));
    }
  }

  showSpectrogram() {
    this.part("spectrogram").src = `made/${this.id}.png`;
    this.part("spectrogram").hidden = false;
  }

  // A label, which names the result where there are several.
  named(label) {
    return this.isAlone ? label : `${label}: ${this.title}`;
  }
}
