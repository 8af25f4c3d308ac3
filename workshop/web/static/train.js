// A training: its fields, how far it is, and its last preview. It goes on without the page, which asks now and then.

import { Curve } from "./curve.js";
import { decimal, nats } from "./fields.js";
import { NO_ANSWER } from "./files.js";

const byId = (id) => document.getElementById(id);

// Milliseconds between two questions while a training runs, and while none does.
const SOON = 2000;
const LATER = 15000;

export class Training {
  // listing: what the server offers; changed() is called when an experiment may have been added or become better.
  constructor(listing, changed) {
    this.changed = changed;
    this.curve = new Curve(byId("train-curve"));
    this.offer(listing);
    byId("train-lesson").addEventListener("change", () => this.fill());
    byId("train-from").addEventListener("change", () => this.fit());
    byId("train").addEventListener("submit", (event) => {
      event.preventDefault();
      const values = { ...Object.fromEntries(new FormData(event.target)), minutes: decimal(byId("train-minutes")) };
      this.ask("training/start", JSON.stringify(values));
    });
    byId("train-stop").addEventListener("click", () => this.ask("training/stop", ""));
    this.watch();
  }

  // ---- the fields

  offer({ lessons, experiments }) {
    Object.assign(this, { lessons, experiments });
    choose("train-lesson", lessons.map(({ name }) => new Option(name, name)));
    this.fill();
  }

  fill() {
    const lesson = this.lessons.find(({ name }) => name === byId("train-lesson").value);
    if (!lesson) return;
    const others = byId("train-size").dataset.lesson !== lesson.name;
    choose("train-data", lesson.data.map((data) => new Option(data.replace("data/", ""), data)));
    choose("train-size", lesson.sizes.map((size) => new Option(size, size)));
    if (others) byId("train-size").value = lesson.size;
    byId("train-size").dataset.lesson = lesson.name;
    const networks = this.experiments.filter((entry) => entry.lesson === lesson.name && !entry.problem);
    const options = networks.map(({ id, name, pretrained }) => new Option(pretrained ? `${name} (comes trained)` : name, id));
    choose("train-from", [new Option("random weights", ""), ...options]);
    this.fit();
  }

  // A trained network has its size already.
  fit() {
    byId("train-size").disabled = byId("train-from").value !== "";
  }

  // ---- what the server says

  async ask(path, body) {
    for (const name of ["train-start", "train-stop"]) byId(name).disabled = true;
    const answer = await fetch(path, { method: "POST", body }).catch(() => null);
    if (answer?.ok) return this.show(await answer.json());
    await this.look();
    return say(answer ? await answer.text() : NO_ANSWER, true);
  }

  async watch() {
    await this.look();
    setTimeout(() => this.watch(), this.isRunning ? SOON : LATER);
  }

  async look() {
    const answer = await fetch("training").catch(() => null);
    if (answer?.ok) this.show(await answer.json());
  }

  show(state) {
    const isNew = state.phase !== this.phase || state.step !== this.step;
    const wasRunning = this.isRunning;
    this.isRunning = state.phase === "running";
    byId("train-start").disabled = this.isRunning;
    byId("train-stop").disabled = !this.isRunning || state.is_stopped;
    if (isNew || state.is_stopped) say(...sentence(state));
    byId("train-said").textContent = this.isRunning ? state.said : "";
    this.showFacts(state);
    this.showPreview(state);
    if ((this.isRunning || wasRunning) && isNew && state.step) this.changed();
    Object.assign(this, { phase: state.phase, step: state.step });
  }

  showFacts({ loss, ngram, order, baseline, step, minutes, curve }) {
    byId("train-facts").hidden = step === undefined;
    if (step === undefined) return this.curve.show([], null);
    byId("train-loss").textContent = nats(loss);
    byId("train-loss").classList.toggle("beaten", loss !== null && ngram !== null && loss < ngram);
    byId("train-ngram").textContent = nats(ngram);
    byId("train-ngram-name").textContent = order ? `best ${baseline} (${order})` : `best ${baseline}`;
    byId("train-step").textContent = step.toLocaleString("en");
    byId("train-time").textContent = minutes.toFixed(1);
    return this.curve.show(curve, ngram);
  }

  showPreview({ preview, experiment }) {
    byId("train-preview").hidden = !preview;
    const shown = preview && `${experiment} ${preview.step} ${preview.formats}`;
    if (!preview || shown === this.shown) return;
    this.shown = shown;
    byId("train-preview-title").textContent = `Preview at step ${preview.step.toLocaleString("en")}`;
    byId("train-preview-text").textContent = preview.text;
    byId("train-preview-text").hidden = !preview.text;
    for (const [name, suffix] of [["picture", "png"], ["sound", "wav"]]) {
      const part = byId(`train-preview-${name}`);
      part.hidden = !preview.formats.includes(suffix);
      if (part.hidden) part.removeAttribute("src");
      else part.src = `training/preview.${suffix}?step=${preview.step}&of=${encodeURIComponent(experiment)}`;
    }
  }

  draw() {
    this.curve.draw();
  }
}

// Fill a field with options; what was chosen stays so where it is still there.
function choose(id, options) {
  const { value } = byId(id);
  byId(id).replaceChildren(...options);
  if (options.some((option) => option.value === value)) byId(id).value = value;
}

function sentence({ phase, experiment, data, problem, others, is_stopped: isStopped, step }) {
  const beside = others.length ? ` Beside it trains: ${others.join(", ")}.` : "";
  if (phase === "none") return [`No training has been started here yet.${beside}`];
  if (problem) return [`${experiment}: ${problem}`, true];
  if (phase === "ended") {
    return [step ? `${experiment} has ended: choose it above and let it play.` : `${experiment} was stopped before it had learnt anything.`];
  }
  if (isStopped) return [`${experiment} saves and ends …`];
  return [`${experiment} learns from ${data}. It goes on when this page is closed.${beside}`];
}

function say(words, isProblem = false) {
  // What is there already is not set again: a screen reader would read it again.
  if (byId("train-status").textContent !== words) byId("train-status").textContent = words;
  byId("train-status").classList.toggle("problem", isProblem);
}
