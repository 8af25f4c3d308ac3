// Notes: what symbols stand for, a piano roll, and a plain sound to hear them by.

// Seconds by which the sound begins after the click.
const DELAY = 0.1;
const ROW = 6;
const PIXELS_A_BEAT = 28;

// Start and end in units of time, pitch and velocity of the notes that symbols stand for. Of several pieces in them,
// each begins on a bar after the one before.
export function notesOf(symbols, about) {
  const pieces = [[]];
  for (const [word, number] of symbols.map((symbol) => about.symbols[symbol])) {
    if (word === "end") pieces.push([]);
    else pieces.at(-1).push([word, number]);
  }
  const beat = about.units_per_beat;
  const notes = [];
  let begin = 0;
  for (const piece of pieces) {
    const found = ofOnePiece(piece, about);
    notes.push(...found.map(([start, end, ...rest]) => [begin + start, begin + end, ...rest]));
    const last = Math.max(...found.map(([, end]) => begin + end));
    if (found.length) begin = 4 * beat * Math.ceil((last + beat) / (4 * beat));
  }
  return notes;
}

function ofOnePiece(piece, about) {
  const sounding = new Map();
  const notes = [];
  const takesTime = about.units_per_symbol > 0; // a melody, in which a note ends where the next one begins
  let now = 0;
  let { velocity } = about;
  for (const [word, number] of [...piece, ["end", 0]]) {
    const all = word === "end" || word === "rest" || (word === "on" && takesTime);
    const ended = all ? [...sounding.keys()] : ["on", "off"].includes(word) && sounding.has(number) ? [number] : [];
    for (const pitch of ended) {
      const [start, loudness] = sounding.get(pitch);
      sounding.delete(pitch);
      if (now > start) notes.push([start, now, pitch, loudness]);
    }
    if (word === "on") sounding.set(number, [now, velocity]);
    else if (word === "velocity") velocity = number;
    now += word === "wait" ? number : about.units_per_symbol;
  }
  return notes.sort((one, other) => one[0] - other[0] || one[1] - other[1] || one[2] - other[2]);
}

// Draw notes: time to the right, pitch upwards.
export function drawRoll(canvas, notes, about) {
  const pixels = PIXELS_A_BEAT / about.units_per_beat;
  const pitches = notes.map(([, , pitch]) => pitch);
  const [lowest, highest] = [Math.min(...pitches) - 2, Math.max(...pitches) + 2];
  canvas.width = Math.ceil(Math.max(...notes.map(([, end]) => end)) * pixels);
  canvas.height = (highest - lowest + 1) * ROW;
  const context = canvas.getContext("2d");
  context.fillStyle = getComputedStyle(canvas).color;
  for (const [start, end, pitch, velocity] of notes) {
    context.globalAlpha = 0.4 + (0.6 * velocity) / 127;
    context.fillRect(start * pixels, (highest - pitch) * ROW, Math.max((end - start) * pixels - 1, 1), ROW - 1);
  }
}

export class Player {
  // ended() is called when the last note is over.
  constructor(ended) {
    this.ended = ended;
    this.context = null;
  }

  play(notes, about) {
    this.stop();
    this.context = new AudioContext();
    const seconds = 60 / about.tempo / about.units_per_beat;
    const begin = this.context.currentTime + DELAY;
    const loudness = new GainNode(this.context, { gain: 0.25 });
    loudness.connect(new DynamicsCompressorNode(this.context)).connect(this.context.destination);
    let last = null;
    for (const [start, end, pitch, velocity] of notes) {
      const tone = new OscillatorNode(this.context, { type: "triangle", frequency: 440 * 2 ** ((pitch - 69) / 12) });
      const level = new GainNode(this.context, { gain: 0 });
      const [from, to] = [begin + start * seconds, begin + end * seconds];
      level.gain.setValueAtTime(0, from);
      level.gain.linearRampToValueAtTime(velocity / 127, from + 0.01);
      level.gain.setTargetAtTime(0, to - 0.02, 0.02);
      tone.connect(level).connect(loudness);
      tone.start(from);
      tone.stop(to + 0.1);
      if (!last || to > last.to) last = { to, tone };
    }
    last.tone.onended = () => this.stop();
  }

  stop() {
    if (!this.context) return;
    this.context.close();
    this.context = null;
    this.ended();
  }
}
