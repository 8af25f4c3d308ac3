// The fields that ask for more than one result: how many variants, and what stands beside it.

const byId = (id) => document.getElementById(id);

export class Compare {
  constructor(fields) {
    this.fields = fields;
    byId("compare").addEventListener("change", () => this.show());
    byId("other-temperature").addEventListener("input", () => this.showTemperature());
    this.showTemperature();
    this.show();
  }

  get variants() {
    return Number(byId("variants").value);
  }

  // Offer what can stand beside the chosen experiment.
  show() {
    const { entry } = this.fields;
    const others = this.fields.all.filter((other) => other.makes === entry?.makes && other !== entry && !other.problem);
    const chosen = byId("other-experiment").value;
    byId("other-experiment").replaceChildren(...others.map((other) => new Option(nameOf(other), other.id)));
    if (others.some((other) => other.id === chosen)) byId("other-experiment").value = chosen;
    byId("compare-experiment").disabled = !others.length;
    if (!others.length && byId("compare").value === "experiment") byId("compare").value = "";
    byId("other-temperature-field").hidden = byId("compare").value !== "temperature";
    byId("other-experiment-field").hidden = byId("compare").value !== "experiment";
  }

  showTemperature() {
    byId("other-temperature-value").textContent = Number(byId("other-temperature").value).toFixed(2);
  }

  // The columns: what the form says, and beside it the same with another temperature or experiment.
  get columns() {
    const { entry } = this.fields;
    const values = this.fields.values();
    switch (byId("compare").value) {
      case "temperature": {
        const other = { ...values, temperature: byId("other-temperature").value };
        return [values, other].map((one) => ({ entry, values: one, title: `temperature ${Number(one.temperature).toFixed(2)}` }));
      }
      case "experiment": {
        const other = this.fields.all.find(({ id }) => id === byId("other-experiment").value);
        return [entry, other].map((one) => ({ entry: one, values: fitting(values, one), title: nameOf(one) }));
      }
      default:
        return [{ entry, values, title: "" }];
    }
  }
}

function nameOf({ lesson, name }) {
  return `${lesson} ${name}`;
}

// Without the name of a sound that the experiment does not know.
function fitting({ condition, ...values }, entry) {
  return entry.conditions.includes(condition) ? { ...values, condition } : values;
}
