// A network that generates symbol by symbol, in plain JavaScript: what network.json describes, with the weights of
// network.bin. It touches no document, so that tests and other pages can use it alone.

import { Blocks } from "./blocks.js";
import { addProduct, sigmoid } from "./products.js";

// What the first layer reads: the row of a symbol, once.
const ONE = Float32Array.of(1);

const ACTIVATIONS = {
  linear: (value) => value,
  relu: (value) => Math.max(value, 0),
  tanh: Math.tanh,
  sigmoid,
};

export class Network {
  // The network whose files lie beside the page.
  static async load() {
    const [about, weights] = await Promise.all([fetched("network.json"), fetched("network.bin")]);
    return new Network(await about.json(), await weights.arrayBuffer());
  }

  constructor(about, buffer) {
    this.about = about;
    this.condition = 0; // the number of what is made, of a network with conditions
    const numbers = about.weights === "float16" ? fromHalf(new Uint16Array(buffer)) : new Float32Array(buffer);
    let at = 0;
    const take = (count) => numbers.subarray(at, (at += count));
    const taken = ({ conditions = 1, ...layer }) => ({
      ...layer,
      kernel: take(layer.inputs * layer.width),
      bias: take(conditions * layer.width),
      recurrent: layer.units ? take(layer.units * layer.width) : null,
      recurrentBias: layer.units ? take(layer.width) : null,
      out: new Float32Array(layer.width),
      sum: new Float32Array(layer.width),
    });
    const [first, ...others] = about.layers;
    // The first layer may be the blocks of a WaveNet; all others take what the one before has made.
    this.blocks = first.kind === "blocks" ? new Blocks(first, take) : null;
    this.layers = (this.blocks ? others : about.layers).map(taken);
    this.forget();
  }

  // Begin again: the state of an empty memory.
  forget() {
    this.blocks?.forget();
    for (const layer of this.layers) {
      layer.h = new Float32Array(layer.units);
      layer.c = new Float32Array(layer.units);
    }
  }

  // Read a symbol; returns the logits of the one that follows. The array is written again by the next call.
  read(symbol) {
    let x = this.blocks?.read(symbol, this.condition) ?? null;
    for (const layer of this.layers) {
      const { out, kernel, bias, width } = layer;
      const row = (this.condition * width) % bias.length; // a bias for each condition, or one for all
      out.set(bias.subarray(row, row + width));
      if (x) addProduct(out, x, kernel);
      else addProduct(out, ONE, kernel.subarray(symbol * width, (symbol + 1) * width)); // a row for each symbol
      x = CELLS[layer.kind](layer);
    }
    return x;
  }

  // Yield symbols without an end, after those of `prompt`; `random` gives numbers from 0 to 1.
  *generate(prompt, temperature, random = Math.random) {
    this.forget();
    for (const symbol of prompt.slice(0, -1)) this.read(symbol);
    let last = prompt.at(-1);
    for (;;) {
      last = this.draw(this.read(last), last, temperature, random());
      yield last;
    }
  }

  // The first symbol at which the sum of the probabilities exceeds a number from 0 to 1.
  draw(logits, last, temperature, uniform) {
    const { never = [], only_after: onlyAfter = [] } = this.about;
    for (const symbol of never) logits[symbol] = -Infinity;
    for (const [symbol, before] of onlyAfter) if (!before.includes(last)) logits[symbol] = -Infinity;
    const largest = logits.reduce((one, other) => Math.max(one, other));
    let total = 0;
    const sums = logits.map((logit) => (total += Math.exp((logit - largest) / temperature)));
    const found = sums.findIndex((sum) => sum > uniform * sums.at(-1));
    return found < 0 ? logits.indexOf(largest) : found;
  }
}

// From what stands in `out`, the projected input, the output of each kind of layer. Gates are in Keras' order.
const CELLS = {
  lstm(layer) {
    const { units, out, h, c } = layer;
    addProduct(out, h, layer.recurrent);
    for (let j = 0; j < units; j += 1) {
      const input = sigmoid(out[j]);
      const forget = sigmoid(out[units + j]);
      c[j] = forget * c[j] + input * Math.tanh(out[2 * units + j]);
      h[j] = sigmoid(out[3 * units + j]) * Math.tanh(c[j]);
    }
    return h;
  },
  gru(layer) {
    const { units, out, h, sum } = layer;
    sum.set(layer.recurrentBias);
    addProduct(sum, h, layer.recurrent);
    for (let j = 0; j < units; j += 1) {
      const update = sigmoid(out[j] + sum[j]);
      const reset = sigmoid(out[units + j] + sum[units + j]);
      const fresh = Math.tanh(out[2 * units + j] + reset * sum[2 * units + j]);
      h[j] = update * h[j] + (1 - update) * fresh;
    }
    return h;
  },
  rnn(layer) {
    const { units, out, h } = layer;
    addProduct(out, h, layer.recurrent);
    for (let j = 0; j < units; j += 1) h[j] = Math.tanh(out[j]);
    return h;
  },
  dense(layer) {
    const activation = ACTIVATIONS[layer.activation];
    for (let j = 0; j < layer.width; j += 1) layer.out[j] = activation(layer.out[j]);
    return layer.out;
  },
};

// Numbers of 16 bits, which not every browser has a type for, as numbers of 32 bits.
function fromHalf(halves) {
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = (half & 0x3ff) / 1024;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction) : sign * 2 ** -14 * fraction;
  });
}

async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} is missing beside this page (${answer.status})`);
  return answer;
}
