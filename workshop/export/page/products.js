// What all layers are made of.

// Add to out [J] what a matrix [I, J] makes of x [I]: four rows at a time, so that `out` is loaded and stored less.
export function addProduct(out, x, matrix) {
  const width = out.length;
  const four = x.length - (x.length % 4);
  for (let i = 0; i < four; i += 4) {
    const x0 = x[i];
    const x1 = x[i + 1];
    const x2 = x[i + 2];
    const x3 = x[i + 3];
    const first = i * width;
    for (let j = 0; j < width; j += 1) {
      const at = first + j;
      out[j] += x0 * matrix[at] + x1 * matrix[at + width] + x2 * matrix[at + 2 * width] + x3 * matrix[at + 3 * width];
    }
  }
  for (let i = four; i < x.length; i += 1) {
    for (let j = 0; j < width; j += 1) out[j] += x[i] * matrix[i * width + j];
  }
}

export function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}
