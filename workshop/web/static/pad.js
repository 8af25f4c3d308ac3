// A pad of two directions: a dot that is dragged, and two sliders that say and do the same for a keyboard.

const byId = (id) => document.getElementById(id);

export class Pad {
  // moved([across, up]) is called when it has been put somewhere, from -1 to 1 each.
  constructor(moved) {
    this.moved = moved;
    this.box = byId("pad");
    this.sliders = [byId("across"), byId("up")];
    for (const slider of this.sliders) {
      slider.addEventListener("input", () => this.show(this.sliders.map(({ value }) => Number(value))));
      slider.addEventListener("change", () => this.moved(this.place));
    }
    this.box.addEventListener("pointerdown", (event) => {
      this.box.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.box.addEventListener("pointermove", (event) => {
      if (this.box.hasPointerCapture(event.pointerId)) this.drag(event);
    });
    this.box.addEventListener("pointerup", (event) => {
      if (this.box.hasPointerCapture(event.pointerId)) this.moved(this.place);
    });
    this.show([0, 0]);
  }

  drag({ clientX, clientY }) {
    if (this.isLocked) return;
    const { left, top, width, height } = this.box.getBoundingClientRect();
    const within = (share) => Math.max(-1, Math.min(1, 2 * share - 1));
    this.show([within((clientX - left) / width), -within((clientY - top) / height)]);
  }

  show(place) {
    this.place = place;
    this.box.firstElementChild.style.left = `${50 + 50 * place[0]}%`;
    this.box.firstElementChild.style.top = `${50 - 50 * place[1]}%`;
    this.sliders.forEach((slider, i) => {
      slider.value = place[i];
      byId(`${slider.id}-value`).textContent = place[i].toFixed(2);
    });
  }

  lock(isLocked) {
    this.isLocked = isLocked;
    this.box.classList.toggle("locked", isLocked);
    for (const slider of this.sliders) slider.disabled = isLocked;
  }
}
