// The gated blocks of a WaveNet, sample by sample: what each has seen is kept, so that nothing is computed twice.

import { addProduct, sigmoid } from "./products.js";

export class Blocks {
  // F taps, C channels, D gates, a dilation for each block; take(count) gives the next weights.
  constructor({ taps, channels, gates, dilations, conditions, levels }, take) {
    Object.assign(this, { taps, channels, gates, levels });
    this.table = take(taps * levels * channels);
    this.biases = take(conditions * dilations.length * 2 * gates);
    this.blocks = dilations.map((dilation, k) => ({
      dilation,
      kernels: Array.from({ length: taps }, () => take(channels * 2 * gates)),
      // The output of the last block goes to the layers above alone.
      residual: k < dilations.length - 1 ? take(gates * channels) : null,
      residualBias: k < dilations.length - 1 ? take(channels) : null,
      ring: rows((taps - 1) * dilation, channels),
    }));
    this.out = new Float32Array(dilations.length * gates);
    this.gated = this.blocks.map((_, k) => this.out.subarray(k * gates, (k + 1) * gates));
    this.x = new Float32Array(channels);
    this.h = new Float32Array(2 * gates);
  }

  forget() {
    this.time = 0;
    this.heard = new Array(this.taps).fill(0);
    for (const { ring } of this.blocks) for (const row of ring) row.fill(0);
  }

  // What the gates of all blocks let through, one after the other, after one more sample of a condition.
  read(symbol, condition) {
    const { taps, channels, gates, levels, table, x, h, time } = this;
    this.heard.push(symbol);
    this.heard.shift();
    x.fill(0);
    for (let tap = 0; tap < taps; tap += 1) {
      const row = (tap * levels + this.heard[tap]) * channels;
      for (let i = 0; i < channels; i += 1) x[i] += table[row + i];
    }
    for (let k = 0; k < this.blocks.length; k += 1) {
      const { dilation, kernels, residual, residualBias, ring } = this.blocks[k];
      const gated = this.gated[k];
      const bias = (condition * this.blocks.length + k) * 2 * gates;
      h.set(this.biases.subarray(bias, bias + 2 * gates));
      for (let tap = 0; tap < taps - 1; tap += 1) {
        addProduct(h, ring[(time + tap * dilation) % ring.length], kernels[tap]);
      }
      addProduct(h, x, kernels[taps - 1]);
      for (let j = 0; j < gates; j += 1) gated[j] = Math.tanh(h[j]) * sigmoid(h[gates + j]);
      ring[time % ring.length].set(x);
      if (!residual) continue;
      for (let i = 0; i < channels; i += 1) x[i] += residualBias[i];
      addProduct(x, gated, residual);
    }
    this.time += 1;
    return this.out;
  }
}

function rows(count, width) {
  const whole = new Float32Array(count * width);
  return Array.from({ length: count }, (_, row) => whole.subarray(row * width, (row + 1) * width));
}
