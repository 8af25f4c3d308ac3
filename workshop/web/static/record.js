// The microphone: some seconds of sound for a network to go on from.

import { Prompt } from "./prompt.js";
import { wavOf } from "./wav.js";

const LONGEST = 10; // seconds
const INSECURE = "At this address the browser lends no microphone: https and localhost do.";
const NONE = "This browser lends no microphone.";

export class Recorder {
  constructor(box) {
    this.button = box.querySelector(".record");
    this.player = box.querySelector("audio");
    this.prompt = new Prompt("sound", box);
    this.prompt.cleared = () => this.show(null);
    this.context = null;
    this.button.addEventListener("click", () => (this.context ? this.end() : this.begin()));
    if (!navigator.mediaDevices || !window.AudioWorklet) {
      this.button.disabled = true;
      this.prompt.say(window.isSecureContext ? NONE : INSECURE);
    }
  }

  async begin() {
    this.button.disabled = true;
    this.prompt.clear();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      this.context = new AudioContext();
      await this.context.audioWorklet.addModule(new URL("collect.js", import.meta.url));
      this.listen();
    } catch (error) {
      this.prompt.say(`There is no microphone to record with: ${error.message}.`, true);
      this.leave();
    }
    this.button.disabled = false;
  }

  listen() {
    this.pieces = [];
    this.count = 0;
    const node = new AudioWorkletNode(this.context, "collect", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => this.take(data);
    this.context.createMediaStreamSource(this.stream).connect(node);
    this.button.textContent = "Stop recording";
    this.prompt.say(`Recording, for at most ${LONGEST} seconds …`);
  }

  take(samples) {
    if (!this.context) return;
    this.pieces.push(samples);
    this.count += samples.length;
    if (this.count >= LONGEST * this.context.sampleRate) this.end();
  }

  async end() {
    const rate = this.context.sampleRate;
    this.leave();
    const samples = new Float32Array(Math.min(this.count, LONGEST * rate));
    let at = 0;
    for (const piece of this.pieces) {
      samples.set(piece.subarray(0, samples.length - at), at);
      at = Math.min(at + piece.length, samples.length);
    }
    this.pieces = [];
    const words = `${(samples.length / rate).toFixed(1)} s recorded: the network goes on from there.`;
    this.show(await this.prompt.send(wavOf(samples, rate), words));
  }

  // Give the microphone back.
  leave() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.context = this.stream = null;
    this.button.textContent = "Record";
  }

  show(name) {
    this.player.hidden = !name;
    if (name) this.player.src = `prompt/${name}.wav`;
    else this.player.removeAttribute("src");
  }
}
