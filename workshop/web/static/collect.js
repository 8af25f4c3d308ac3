// Passes on what the microphone hears, in the thread of the sound card.

class Collect extends AudioWorkletProcessor {
  process([[heard]]) {
    if (heard) this.port.postMessage(heard.slice());
    return true;
  }
}

registerProcessor("collect", Collect);
