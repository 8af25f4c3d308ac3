// The loss on held-out data over the steps, and the best n-gram, or other baseline, as a dashed line.

import { colour, sized } from "./drawing.js";

const HEIGHT = 150;
const LEFT = 36;
const EDGE = 10;

export class Curve {
  constructor(box) {
    this.box = box;
    this.canvas = box.querySelector("canvas");
    this.points = [];
  }

  // points: [step, loss in nats]; level: of the n-gram, or null.
  show(points, level) {
    Object.assign(this, { points, level });
    this.box.hidden = points.length < 2;
    this.draw();
  }

  draw() {
    if (this.box.hidden) return;
    const width = this.box.clientWidth;
    const context = sized(this.canvas, width, HEIGHT);
    const losses = this.points.map((point) => point[1]).concat(this.level ?? []);
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    const last = this.points.at(-1)[0];
    const x = (step) => LEFT + (step / last) * (width - LEFT - EDGE);
    const y = (loss) => EDGE + ((high - loss) / (high - low || 1)) * (HEIGHT - 2 * EDGE);
    context.font = `11px ${colour("--font")}`;
    context.fillStyle = colour("--soft");
    context.textBaseline = "middle";
    for (const loss of new Set([low, high])) context.fillText(loss.toFixed(2), 4, y(loss));
    context.lineWidth = 2;
    if (this.level !== null) this.line(context, "--soft", [[0, this.level], [last, this.level]], x, y, [5, 5]);
    this.line(context, "--accent", this.points, x, y, []);
  }

  line(context, name, points, x, y, dashes) {
    context.strokeStyle = colour(name);
    context.setLineDash(dashes);
    context.beginPath();
    for (const [step, loss] of points) context.lineTo(x(step), y(loss));
    context.stroke();
  }
}
