// What the drawings share: sharp canvases, the page's colours, and the line that shows where the player is.

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Give a canvas this size in CSS pixels, and return a context that draws in them.
export function sized(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  return context;
}

// The line over a drawing that shows where the player is.
export class Head {
  constructor(box) {
    this.box = box;
    this.line = box.querySelector(".head");
  }

  // Put it so many pixels from the left, and scroll there if that is out of sight.
  show(x) {
    this.line.hidden = false;
    this.line.style.transform = `translateX(${x}px)`;
    const left = this.box.scrollLeft;
    const width = this.box.clientWidth;
    if (x < left || x > left + width * 0.9) this.box.scrollLeft = Math.max(0, x - width * 0.1);
  }

  hide() {
    this.line.hidden = true;
  }
}
