// Plays samples as they come, in the thread of the sound card. Where they come too late, it is silent and counts it.

class Feed extends AudioWorkletProcessor {
  constructor() {
    super();
    this.pieces = [];
    this.at = 0;
    this.playing = false;
    this.complete = false;
    this.played = 0;
    this.late = 0;
    this.port.onmessage = ({ data }) => {
      if (data.samples) this.pieces.push(data.samples);
      if (data.play) this.playing = true;
      if (data.complete) this.complete = true;
    };
  }

  process(_, [[out]]) {
    if (!this.playing) return true;
    let filled = 0;
    while (filled < out.length && this.pieces.length) {
      const part = this.pieces[0].subarray(this.at, this.at + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      this.at += part.length;
      if (this.at === this.pieces[0].length) {
        this.pieces.shift();
        this.at = 0;
      }
    }
    this.played += filled;
    const over = this.complete && !this.pieces.length;
    if (filled < out.length && !over) this.late += 1;
    this.port.postMessage({ played: this.played, late: this.late, over });
    return !over;
  }
}

registerProcessor("feed", Feed);
