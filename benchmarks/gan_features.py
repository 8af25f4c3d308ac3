"""Train the network whose features the loops of `spectral_gan` are compared by, and write its weights.

    python benchmarks/gan_features.py --data_dir data/audio/loops --out spectral_gan/features.npz

It tells the kit, the pattern and the fill of the starter set's loops, from pictures of two sizes, averaged to one. How
often it is right on songs that are held out is printed. The seed is fixed. Some minutes.
"""

import argparse
from pathlib import Path

import compare
import keras
import numpy as np

from spectral_gan.features import CHANNELS, FEATURES, SIDE, shrunk
from workshop.audio.slices import load_pictures

SIZES = ((64, 128), (128, 256))
LABELS = ("kit", "pattern", "fill")
EPOCHS, BATCH, RATE = 24, 64, 2e-3
#: Loudness is varied by so much, and noise is added, so that features are of more than the starter set's own.
LOUDER, NOISE = 0.15, 0.05


def read(folder: Path) -> tuple[list[tuple[np.ndarray, dict[str, np.ndarray]]], dict[str, list[str]]]:
    """Training and held-out pictures [N, S, S] with the numbers of their labels, and the labels' names."""
    parts: list[list[tuple[np.ndarray, list[dict[str, str]]]]] = [[], []]
    for size in SIZES:
        found = load_pictures(folder, *size)
        for part, pictures, names in zip(
            parts, (found.train, found.held_out), (found.train_names, found.held_out_names), strict=True
        ):
            part.append((shrunk(pictures), [found.about.slices[name].labels for name in names]))
    labels = {label: sorted({one[label] for _, rows in parts[0] for one in rows}) for label in LABELS}
    numbered = []
    for part in parts:
        rows = [one for _, some in part for one in some]
        numbers = {label: np.array([labels[label].index(one[label]) for one in rows]) for label in LABELS}
        numbered.append((np.concatenate([pictures for pictures, _ in part]), numbers))
    return numbered, labels


def build(labels: dict[str, list[str]]) -> keras.Model:
    """The network, with one output for each label."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = inputs
    for channels in CHANNELS:
        x = keras.layers.Lambda(lambda x: keras.ops.concatenate([x, x[:, :1]], axis=1))(x)
        x = keras.layers.ZeroPadding2D(((0, 0), (0, 1)))(x)
        x = keras.layers.Conv2D(channels, 3, strides=2, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(FEATURES, activation="relu", name="features")(x)
    return keras.Model(inputs, {name: keras.layers.Dense(len(labels[name]), name=name)(x) for name in LABELS})


def varied(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Pictures louder or softer, with noise; silence stays."""
    louder = random.uniform(-LOUDER, LOUDER, (len(pictures), 1, 1))
    noisy = pictures + louder + random.normal(0, NOISE, pictures.shape)
    return np.where(pictures <= -1, -1, noisy).clip(-1, 1).astype(np.float32)[..., None]


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", type=Path, default=compare.ROOT / "data" / "audio" / "loops")
    parser.add_argument("--out", type=Path, required=True, help="the file of weights, .npz")
    arguments = parser.parse_args()
    (train, held_out), labels = read(arguments.data_dir)
    keras.utils.set_random_seed(0)
    model = build(labels)
    steps = EPOCHS * (len(train[0]) // BATCH)
    loss = {name: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for name in LABELS}
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)), loss,
        metrics={name: "accuracy" for name in LABELS},
    )  # fmt: skip
    random = np.random.default_rng(0)
    for epoch in range(EPOCHS):
        model.fit(varied(train[0], random), train[1], batch_size=BATCH, epochs=1, verbose=0)
        if epoch % 4 == 3:
            print(
                epoch + 1, model.evaluate(held_out[0][..., None], held_out[1], verbose=0, return_dict=True), flush=True
            )
    told = model.predict(held_out[0][..., None], verbose=0)
    result: dict[str, object] = {
        label: round(float((told[label].argmax(axis=1) == held_out[1][label]).mean()), 3) for label in LABELS
    }
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    kept = {}
    for number, layer in enumerate(layers):
        kept[f"kernel{number}"], kept[f"bias{number}"] = layer.get_weights()
    kept["kernel"], kept["bias"] = model.get_layer("features").get_weights()
    np.savez_compressed(arguments.out, **{name: value.astype(np.float16) for name, value in kept.items()})
    compare.finish(result)


if __name__ == "__main__":
    main()
