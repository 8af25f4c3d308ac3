// Slots that loop in time. All begin at the same sample; what changes does so where a bar begins, on the sample. A bar is
// as long as a loop, and a slot may hold several loops, one for each of so many bars.

// Seconds that the browser needs to begin something, for which bars are prepared, and between two looks at the time. Of a
// page that is out of sight it lets a second pass between these.
const SOON = 0.05;
const AHEAD = 1.5;
const EVERY = 0.1;
// How loud a slot of level 1 is, so that several of them have room; the server mixes with the same.
const ROOM = 0.5;
// Seconds in which a level changes, for nothing to click.
const SMOOTH = 0.005;

export class Mixer {
  // barred(bar, time, context) is called for each bar shortly before it begins, with its time in seconds of the context.
  constructor(count, barred) {
    this.slots = Array.from({ length: count }, () => ({ samples: null, level: 1, isMuted: false, source: null }));
    this.order = this.slots.map((_, place) => place);
    Object.assign(this, { barred, context: null, rate: 0, length: 0, isInTurn: false });
  }

  get isPlaying() {
    return this.context !== null;
  }

  // Slots that are heard, in their order.
  get heard() {
    return this.order.filter((place) => this.slots[place].samples && !this.slots[place].isMuted);
  }

  // The rate of the sound and the samples of a bar; whatever was in the slots is gone.
  begin(rate, length) {
    this.stop();
    Object.assign(this, { rate, length });
    for (const slot of this.slots) slot.samples = null;
  }

  play() {
    this.stop();
    this.context = new AudioContext({ sampleRate: this.rate });
    for (const slot of this.slots) {
      slot.gate = new GainNode(this.context);
      slot.volume = new GainNode(this.context, { gain: this.volumeOf(slot) });
      slot.gate.connect(slot.volume).connect(this.context.destination);
    }
    this.first = Math.ceil((this.context.currentTime + SOON) * this.rate);
    this.bar = this.told = 0;
    for (const slot of this.slots) this.enter(slot, 0);
    this.prepare();
    this.timer = setInterval(() => this.prepare(), 1000 * EVERY);
  }

  stop() {
    clearInterval(this.timer);
    for (const slot of this.slots) slot.source = null;
    this.context?.close();
    this.context = null;
  }

  // When a bar begins, in seconds of the context: exactly at a sample.
  timeOf(bar) {
    return (this.first + bar * this.length) / this.rate;
  }

  get next() {
    const passed = (this.context.currentTime + SOON) * this.rate - this.first;
    return Math.max(Math.ceil(passed / this.length), 0);
  }

  // Let a slot hold other samples from the next bar on; null for none.
  fill(place, samples) {
    this.slots[place].samples = samples;
    if (!this.isPlaying) return;
    this.enter(this.slots[place], this.next);
    this.gates();
  }

  // Let all slots hold loops of another length from the first bar on that nobody has been told of; it is then bar 0.
  retime(length, all) {
    if (this.isPlaying) this.first += this.told * this.length;
    Object.assign(this, { length, bar: 0, told: 0 });
    all.forEach((samples, place) => {
      this.slots[place].samples = samples;
      if (this.isPlaying) this.enter(this.slots[place], 0);
    });
    if (this.isPlaying) this.prepare();
  }

  enter(slot, bar) {
    const at = this.timeOf(bar);
    slot.source?.stop(at);
    slot.source = null;
    if (!slot.samples) return;
    const buffer = new AudioBuffer({ length: slot.samples.length, sampleRate: this.rate });
    buffer.copyToChannel(slot.samples, 0);
    slot.source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    slot.source.connect(slot.gate);
    slot.source.start(at, ((bar * this.length) % slot.samples.length) / this.rate);
  }

  // ---- levels, and whose turn it is

  volumeOf({ level, isMuted }) {
    return isMuted ? 0 : ROOM * level;
  }

  level(place, level) {
    this.slots[place].level = level;
    this.turn(this.slots[place]);
  }

  mute(place, isMuted) {
    this.slots[place].isMuted = isMuted;
    this.turn(this.slots[place]);
    if (this.isPlaying) this.gates();
  }

  turn(slot) {
    if (this.isPlaying) slot.volume.gain.setTargetAtTime(this.volumeOf(slot), this.context.currentTime, SMOOTH);
  }

  inTurn(isInTurn) {
    this.isInTurn = isInTurn;
    if (this.isPlaying) this.gates();
  }

  // What was prepared for the bars to come is not true any more.
  gates() {
    for (const { gate } of this.slots) gate.gain.cancelScheduledValues(this.context.currentTime);
    this.bar = this.next;
    this.prepare();
  }

  prepare() {
    while (this.timeOf(this.bar) < this.context.currentTime + AHEAD) {
      const at = this.timeOf(this.bar);
      const { heard } = this;
      const whose = heard[this.bar % heard.length];
      this.slots.forEach(({ gate }, place) => gate.gain.setValueAtTime(!this.isInTurn || place === whose ? 1 : 0, at));
      if (this.bar === this.told) {
        this.told += 1;
        this.barred(this.bar, at, this.context);
      }
      this.bar += 1;
    }
  }
}
