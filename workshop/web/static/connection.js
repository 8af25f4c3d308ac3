// The connection to the server: messages go out as objects; what comes in is an object, or samples as an ArrayBuffer.
// It is made again, after a pause, when it has been lost.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8000;

export class Connection {
  // heard(message), opened() and lost(reason) are called as it happens; the reason is the server's, or ''. `path` is where
  // the server takes it.
  constructor({ heard, opened, lost }, path = "play") {
    this.path = path;
    this.heard = heard;
    this.opened = opened;
    this.lost = lost;
    this.pause = FIRST_PAUSE;
    this.connect();
  }

  connect() {
    const address = new URL(this.path, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = ({ data }) => {
      this.pause = FIRST_PAUSE; // a server with too many pages opens a connection and closes it at once
      this.heard(typeof data === "string" ? JSON.parse(data) : data);
    };
    this.socket.onclose = ({ reason }) => {
      this.lost(reason);
      setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    };
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  say(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }
}
