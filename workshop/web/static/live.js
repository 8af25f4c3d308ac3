// A sound that is heard while it is made. It begins as soon as it will not have to wait later.

// Seconds that are kept ready at least.
const BUFFER = 0.4;

export class Live {
  // moved(seconds) is called while it plays, and ended(late) when it is over: how often it was silent.
  constructor(moved, ended) {
    this.moved = moved;
    this.ended = ended;
    this.context = null;
  }

  // Whether this browser can: on other addresses than https and localhost none can.
  static get isPossible() {
    return window.isSecureContext && "AudioWorklet" in window;
  }

  get isOn() {
    return this.context !== null;
  }

  // A sound of so many samples is going to come. To be called soon after a click, or the browser stays silent.
  async begin(length, rate) {
    this.stop();
    const context = new AudioContext({ sampleRate: rate });
    Object.assign(this, { context, length, rate, made: 0, waiting: [], node: null, isPlaying: false, isComplete: false });
    await context.audioWorklet.addModule(new URL("feed.js", import.meta.url));
    if (this.context !== context) return; // stopped meanwhile
    this.node = new AudioWorkletNode(context, "feed", { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.connect(context.destination);
    this.node.port.onmessage = ({ data }) => this.follow(data);
    for (const message of this.waiting) this.node.port.postMessage(message);
    this.waiting = [];
  }

  tell(message) {
    if (!this.isOn) return;
    if (this.node) this.node.port.postMessage(message);
    else this.waiting.push(message);
  }

  add(samples) {
    this.made += samples.length;
    this.tell({ samples });
  }

  // So many seconds were needed for what has been made: where that is slower than listening, wait until it is enough.
  // Returns by how many times it is faster.
  pace(seconds) {
    const speed = this.made / this.rate / Math.max(seconds, 0.01);
    const needed = Math.max(BUFFER * this.rate, this.length * (1 - speed) * 1.1);
    if (this.made >= Math.min(needed, this.length)) this.play();
    return speed;
  }

  play() {
    if (this.isPlaying) return;
    this.isPlaying = true;
    this.tell({ play: true });
  }

  complete() {
    this.isComplete = true;
    this.tell({ complete: true });
    this.play();
  }

  follow({ played, late, over }) {
    if (over) {
      this.stop();
      this.ended(late);
    } else this.moved(played / this.rate);
  }

  stop() {
    if (this.node) this.node.port.onmessage = null;
    this.node = null;
    this.context?.close();
    this.context = null;
  }
}
