// The form: which experiments there are, what is known of the chosen one, and what its fields say.

const form = document.getElementById("settings");
const chooser = document.getElementById("experiment");
const byId = (id) => document.getElementById(id);

const DEFAULTS = { text: { length: "500" }, notes: { length: "256" }, sound: { seconds: "3" } };
const LONGEST_MESSAGE = 30;
const WORDS = { text: "Text", notes: "Notes", sound: "Sound" };

export class Fields {
  // chosen(entry) is called when another experiment has been chosen.
  constructor({ experiments, instruments }, chosen) {
    this.take(experiments);
    byId("midi_instrument").replaceChildren(...instruments.map((name) => new Option(name, name)));
    chooser.addEventListener("change", () => this.show(chosen));
    byId("temperature").addEventListener("input", showTemperature);
    if (experiments.length) this.show(chosen);
  }

  take(experiments) {
    this.entries = new Map(experiments.map((entry) => [entry.id, entry]));
    this.fillChooser(experiments);
  }

  // The experiments may be others than before: the one that is chosen stays so, with what the person has set.
  renew({ experiments }) {
    const had = this.entry;
    this.take(experiments);
    if (this.entries.has(had?.id)) {
      chooser.value = had.id;
      this.showFacts();
    } else if (experiments.length) this.show(() => {});
  }

  get all() {
    return [...this.entries.values()];
  }

  get entry() {
    return this.entries.get(chooser.value);
  }

  fillChooser(experiments) {
    const groups = new Map();
    for (const entry of experiments) {
      const title = `${WORDS[entry.makes] ?? "Other"}: ${entry.pretrained ? "comes trained" : entry.lesson || "damaged"}`;
      if (!groups.has(title)) groups.set(title, Object.assign(document.createElement("optgroup"), { label: title }));
      const name = `${entry.lesson || "?"} ${entry.name}`;
      groups.get(title).append(new Option(entry.message ? `${name} – ${shortened(entry.message)}` : name, entry.id));
    }
    chooser.replaceChildren(...groups.values());
    const usable = experiments.find((entry) => !entry.problem);
    if (usable) chooser.value = usable.id;
  }

  // Show what is known of the chosen experiment.
  showFacts() {
    const { entry } = this;
    byId("message").textContent = shortened(entry.message) === entry.message ? "" : entry.message;
    byId("problem").textContent = entry.problem;
    byId("problem").hidden = !entry.problem;
    byId("facts").hidden = Boolean(entry.problem);
    byId("loss").textContent = nats(entry.loss);
    byId("ngram").textContent = nats(entry.ngram);
    byId("ngram-name").textContent = entry.order ? `best ${entry.baseline} (${entry.order})` : `best ${entry.baseline}`;
    byId("loss").classList.toggle("beaten", entry.loss !== null && entry.ngram !== null && entry.loss < entry.ngram);
    byId("step").textContent = entry.step.toLocaleString("en");
  }

  // Show what belongs to the chosen experiment.
  show(chosen) {
    const { entry } = this;
    this.showFacts();
    for (const part of document.querySelectorAll("[data-for]")) {
      part.hidden = !part.dataset.for.split(" ").includes(entry.makes);
    }
    byId("condition").replaceChildren(...entry.conditions.map((name) => new Option(name, name)));
    byId("condition-field").hidden = !entry.conditions.length;
    byId("temperature").value = entry.temperature;
    showTemperature();
    for (const [name, value] of Object.entries(DEFAULTS[entry.makes] ?? {})) byId(name).value = value;
    chosen(entry);
  }

  // The texts of the fields that belong to the chosen experiment.
  values() {
    const found = {};
    for (const field of form.querySelectorAll("[name]")) {
      const outside = field.closest("[data-for]");
      if (!outside?.hidden) found[field.name] = field.inputMode === "decimal" ? decimal(field) : field.value;
    }
    return found;
  }
}

function shortened(message) {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
}

function showTemperature() {
  byId("temperature-value").textContent = Number(byId("temperature").value).toFixed(2);
}

// The text of a field for a number, which may have a decimal comma.
export function decimal(field) {
  return field.value.trim().replace(/^(\d*),(\d+)$/, "$1.$2");
}

export function nats(value) {
  return value === null ? "none yet" : `${value.toFixed(3)} nats`;
}
