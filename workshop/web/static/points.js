// Points of a latent space, as arrays of numbers.

// How far from the middle of the pad its edge is: where random points are rare.
const EDGE = 3;

// Two normally distributed numbers of two uniform ones (Box and Muller).
function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

export function random(size) {
  return Array.from({ length: size }, normal);
}

// So much of a point is new, from 0 to 1; it is as far from the middle as before.
export function morphed(point, share) {
  return point.map((value) => Math.sqrt(1 - share ** 2) * value + share * normal());
}

// A point with a place on the pad, from -1 to 1 in two directions.
export function moved(point, [across, up], directions) {
  return point.map((value, i) => value + EDGE * (across * directions[0][i] + up * directions[1][i]));
}
