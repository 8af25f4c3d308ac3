// The sound card's side, in its thread: what the microphone hears goes out in pieces, and what comes back is played.
//
// The queue begins to play with FILL pieces in it, softly. Where it runs dry, it fades, counts a gap, and fills again;
// that makes it longer, so it is made shorter again when it has been longer than needed for a while.

const FILL = 2; // pieces
const WHILE = 2; // seconds
const FADE = 64; // samples
const LOST = 5; // seconds after which a click that was not heard again is given up

class Duplex extends AudioWorkletProcessor {
  constructor({ processorOptions: { piece } }) {
    super();
    Object.assign(this, { piece, queue: new Float32Array(0), heard: new Float32Array(piece), filled: 0 });
    Object.assign(this, { isPlaying: false, last: 0, gaps: 0, shortened: 0, least: Infinity, since: 0, played: 0, clicked: -1, wantsClick: false });
    this.port.onmessage = ({ data }) => {
      if (data === "click") this.wantsClick = true;
      else this.take(data);
    };
  }

  take(samples) {
    const longer = new Float32Array(this.queue.length + samples.length);
    longer.set(this.queue);
    longer.set(samples, this.queue.length);
    this.queue = longer;
    if (this.isPlaying || this.queue.length < FILL * this.piece) return;
    this.isPlaying = true;
    for (let at = 0; at < FADE; at += 1) this.queue[at] *= at / FADE;
  }

  process([[input]], [[out]]) {
    const count = out.length;
    this.hear(input, count);
    if (this.isPlaying && this.queue.length < count) {
      this.isPlaying = false;
      this.gaps += 1;
      this.fade(out);
    }
    if (this.isPlaying) {
      out.set(this.queue.subarray(0, count));
      this.last = out[count - 1];
      this.queue = this.queue.slice(count);
      this.shorten(count);
    }
    this.listenForClick(out);
    this.played += count;
    return true;
  }

  // What is left, or else the last sample, becomes silence: stopped at once, it would click.
  fade(out) {
    const left = this.queue;
    for (let at = 0; at < FADE; at += 1) out[at] = (at < left.length ? left[at] : this.last) * (1 - (at + 1) / FADE);
    this.queue = new Float32Array(0);
  }

  hear(input, count) {
    for (let at = 0; at < count; at += 1) {
      this.heard[this.filled] = input ? input[at] : 0;
      if (this.wantsClick) {
        this.wantsClick = false;
        this.heard[this.filled] = 1;
        this.clicked = this.played + at;
      }
      this.filled += 1;
      if (this.filled === this.piece) {
        this.port.postMessage({ samples: this.heard, gaps: this.gaps, queue: this.queue.length, shortened: this.shortened });
        this.heard = new Float32Array(this.piece);
        this.filled = 0;
      }
    }
  }

  // After a while in which so much was never needed, leave it out, crossfaded.
  shorten(count) {
    this.least = Math.min(this.least, this.queue.length);
    this.since += count;
    if (this.since < WHILE * sampleRate) return;
    const spare = Math.floor(this.least - this.piece);
    if (spare > FADE && this.queue.length > spare + FADE) {
      const rest = this.queue.slice(spare);
      for (let at = 0; at < FADE; at += 1) rest[at] = rest[at] * (at / FADE) + this.queue[at] * (1 - at / FADE);
      this.queue = rest;
      this.shortened += 1;
    }
    this.least = Infinity;
    this.since = 0;
  }

  listenForClick(out) {
    if (this.played - this.clicked > LOST * sampleRate) this.clicked = -1;
    if (this.clicked < 0) return;
    const at = out.findIndex((value) => Math.abs(value) > 0.25);
    if (at < 0) return;
    this.port.postMessage({ latency: (this.played + at - this.clicked) / sampleRate });
    this.clicked = -1;
  }
}

registerProcessor("duplex", Duplex);
