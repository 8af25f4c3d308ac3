// What is to be generated: variants of one prompt, which differ in their seeds, in one column or in two that have
// everything in common but the temperature or the experiment.

const SEEDS = 2 ** 32;

// The wishes in the order in which they are made: the columns of a variant beside each other.
// columns: [{ entry, values, title }]
export function wishes(columns, variants) {
  const all = [];
  for (let variant = 0; variant < variants; variant += 1) {
    for (const { entry, values, title } of columns) {
      const words = [title, variants > 1 ? `variant ${variant + 1}` : ""].filter(Boolean);
      all.push({ entry, values, variant, title: words.join(", ") || entry.name });
    }
  }
  return all;
}

// The fields of a wish. The first one has the seed of the form, or gets a new one: `first` is what it turned out to be.
export function valuesOf({ values, variant }, first) {
  return first === null ? values : { ...values, seed: String((first + variant) % SEEDS) };
}
