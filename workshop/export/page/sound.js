// Sound: heard while it is made where the device keeps up, otherwise afterwards; and as a file.

// So much is made before it is decided, in seconds of sound and of time, and so much faster than it plays it has to be.
const TRIED = 0.3;
const LONGEST_TRY = 1.5;
const MARGIN = 1.2;
// Seconds by which what is heard lies behind what is made.
const DELAY = 0.25;

// Whether a sound can be heard while it is made, by what was made in so many seconds; null while that is not known yet.
export function keepsUp(samples, rate, seconds) {
  if (samples < TRIED * rate && seconds < LONGEST_TRY) return null;
  return samples / rate > MARGIN * seconds;
}

export class Speaker {
  // ended() is called when the sound is over.
  constructor(ended) {
    this.ended = ended;
    this.context = null;
  }

  // Has to be called by a click: then browsers allow sound.
  begin(rate) {
    this.stop();
    this.context = new AudioContext();
    Object.assign(this, { rate, at: 0, isComplete: false, isLate: false, sounding: 0 });
  }

  // Let samples sound behind those before.
  add(samples) {
    if (!this.context || !samples.length) return;
    const { context, rate } = this;
    if (this.at < context.currentTime) {
      this.isLate ||= this.at > 0;
      this.at = context.currentTime + DELAY;
    }
    const buffer = context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.start(this.at);
    this.at += samples.length / rate;
    this.sounding += 1;
    source.onended = () => {
      this.sounding -= 1;
      if (this.context === context) this.endIfOver();
    };
  }

  // Nothing follows.
  complete() {
    this.isComplete = true;
    this.endIfOver();
  }

  endIfOver() {
    if (this.isComplete && !this.sounding) this.stop();
  }

  stop() {
    if (!this.context) return;
    this.context.close();
    this.context = null;
    this.ended();
  }
}

// Samples from -1 to 1 as a WAV file of 16 bits.
export function wavOf(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const put = (at, text) => [...text].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  put(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, k) => view.setInt16(44 + 2 * k, Math.round(Math.min(1, Math.max(-1, sample)) * 32767), true));
  return new Blob([view], { type: "audio/wav" });
}
