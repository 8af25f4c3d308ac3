// Other programs at the slots: what they say by OSC comes from the server, and is answered by what then holds, or by a
// sentence that says why it cannot be.

import { Connection } from "./connection.js";
import { morphed, random } from "./points.js";

// Milliseconds in which a browser that lets the page sound begins to.
const BEGINS = 500;

// A browser lets a page sound only after a click on it.
async function sounds(context) {
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, BEGINS))]);
  return context.state === "running";
}

// What can be done to all slots. Without a value, these tell what holds.
function forAll(page) {
  const { mixer } = page;
  return {
    async play(on = 1) {
      if (!on) page.stop();
      else {
        page.ready();
        page.play();
        if (!(await sounds(mixer.context))) {
          page.stop();
          throw new Error("the browser lets the page sound only after a click on it: click there, and play again");
        }
      }
      return [on];
    },
    stop: () => page.stop(),
    tempo(bpm) {
      page.ready();
      if (bpm !== undefined) page.tempo(bpm);
      return [page.bpm()];
    },
    turn(on) {
      if (on !== undefined) page.turn(Boolean(on));
      return [Number(mixer.isInTurn)];
    },
    random() {
      page.ready();
      page.drawAll();
    },
    order(...numbers) {
      if (new Set(numbers).size < numbers.length) throw new Error("the order names each slot once");
      if (numbers.length) page.order(numbers.map((number) => number - 1));
      return mixer.order.map((place) => place + 1);
    },
    swap(one, other) {
      const swapped = { [one - 1]: other - 1, [other - 1]: one - 1 };
      page.order(mixer.order.map((place) => swapped[place] ?? place));
      return [one, other];
    },
  };
}

// What can be done to a slot.
function forOne(page) {
  // The latent space, for a slot that may be changed.
  function space(slot) {
    if (slot.isLocked) throw new Error(`slot ${slot.place + 1} is locked: unlock it first`);
    return page.ready();
  }
  function lead(way, slot, number, bars) {
    space(slot);
    const target = number - 1;
    if (target === slot.place) throw new Error("a slot goes to another one, not to itself");
    if (!page.slots[target].point) throw new Error(`slot ${number} is empty: fill it first`);
    page.lead(slot, { way, target, steps: bars });
    return [number, bars];
  }
  return {
    level(slot, value) {
      if (value !== undefined) slot.level = value;
      return [slot.level];
    },
    mute(slot, on) {
      if (on !== undefined) slot.isMuted = Boolean(on);
      return [Number(slot.isMuted)];
    },
    lock(slot, on) {
      if (on !== undefined) slot.isLocked = Boolean(on);
      return [Number(slot.isLocked)];
    },
    random: (slot) => page.renew(slot, random(space(slot).latent_size)),
    seed(slot, seed) {
      space(slot);
      page.draw(slot, seed);
      return [seed];
    },
    point(slot, ...values) {
      const { latent_size, directions } = page.ready();
      if (values.length) {
        space(slot);
        if (values.length !== latent_size) {
          throw new Error(`this network makes a loop of ${latent_size} latent values, and ${values.length} were sent`);
        }
        page.renew(slot, values);
      }
      if (!slot.point) throw new Error(`slot ${slot.place + 1} is empty`);
      return slot.at(directions);
    },
    pad(slot, ...place) {
      if (place.length) {
        space(slot);
        page.move(slot, place);
      }
      return slot.pad;
    },
    morph(slot, share) {
      const { latent_size, directions } = space(slot);
      page.renew(slot, morphed(slot.at(directions) ?? random(latent_size), share));
      return [share];
    },
    fade: (...given) => lead("fade", ...given),
    pingpong: (...given) => lead("pingpong", ...given),
    stay(slot) {
      space(slot);
      page.lead(slot, { way: "stay" });
    },
    empty(slot) {
      space(slot);
      page.clear(slot);
    },
  };
}

// Let a page follow: its slots and its mixer; ready() gives the latent space, or throws an error; bpm() the tempo; and its
// other functions do what their names say.
export function follow(page) {
  const [all, one] = [forAll(page), forOne(page)];
  const connection = new Connection({ heard, opened() {}, lost() {} }, "loops/following");

  async function heard({ number, what, slot, values }) {
    try {
      const holds = await (slot ? one[what](page.slots[slot - 1], ...values) : all[what](...values));
      connection.say({ number, values: holds ?? [] });
    } catch (error) {
      connection.say({ number, sentence: error.message });
    }
  }
}
