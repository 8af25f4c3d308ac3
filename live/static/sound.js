// The microphone, the loudspeaker, and the connection between them and the networks.

const PIECE = 512; // samples
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const INSECURE = "At this address the browser lends no microphone: https and localhost do.";

export class Sound {
  // heard(message) is called with what the server says, counted({gaps, queue, latency}) by the sound card, and ended(why)
  // when nothing is to be heard any more.
  constructor({ heard, counted, ended }) {
    Object.assign(this, { heard, counted, ended, context: null, socket: null });
  }

  get isOn() {
    return this.context !== null;
  }

  async begin() {
    if (!navigator.mediaDevices || !window.AudioWorklet) throw new Error(INSECURE);
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(new URL("duplex.js", import.meta.url));
    this.node = new AudioWorkletNode(this.context, "duplex", {
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { piece: PIECE },
    });
    this.node.port.onmessage = ({ data }) => this.pass(data);
    this.context.createMediaStreamSource(this.stream).connect(this.node).connect(this.context.destination);
    for (const track of this.stream.getTracks()) track.onended = () => this.end("The microphone has gone.");
    this.connect();
  }

  connect() {
    const address = new URL("sound", document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.say({ type: "begin", rate: this.context.sampleRate });
    this.socket.onclose = ({ reason }) => this.end(reason || "The connection is lost: is the program still running?");
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.heard(JSON.parse(data));
      else this.node?.port.postMessage(new Float32Array(data));
    };
  }

  pass(data) {
    if (data.samples && this.socket?.readyState === WebSocket.OPEN) this.socket.send(data.samples);
    this.counted(data);
  }

  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  click() {
    this.node?.port.postMessage("click");
  }

  end(why = "") {
    if (!this.isOn) return;
    if (this.node) this.node.port.onmessage = null;
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context.close();
    this.context = this.socket = this.node = this.stream = null;
    this.ended(why);
  }
}
