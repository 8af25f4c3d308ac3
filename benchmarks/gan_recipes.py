"""Ways to train the networks of lesson 6, compared after the same number of steps on the same slices.

    python benchmarks/gan_recipes.py --steps 400
    python benchmarks/gan_recipes.py --smoke

Prints a table: the distance of made loops from held-out ones, precision, recall and variety, and what a step takes of
one core. Above stand the distance of training slices, which is the floor, and that of the best normal distribution.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from spectral_gan import dataset
from spectral_gan.judging import Judge
from spectral_gan.lesson import LESSON
from workshop.audio import latents
from workshop.audio.bands import MEL


@dataclass(frozen=True)
class Recipe:
    """One way to train: the arguments of train.py that it stands for."""

    network: str = "default"
    loss: str = "bce"
    r1: float = 20.0
    augment: bool = False
    learning_rate: float = 0.0005
    momentum: float = 0.0
    channels: int = 128

    def __str__(self) -> str:
        changed = " --augment yes" if self.augment else ""
        named = "" if self.network == "default" else f" --network {self.network}"
        return f"`--loss {self.loss} --r1 {self.r1:g} --learning_rate {self.learning_rate:g}{changed}{named}`"


RECIPES = (
    Recipe(),
    Recipe(learning_rate=0.0008),
    Recipe(loss="hinge"),
    Recipe(loss="hinge", learning_rate=0.0008),
    Recipe(loss="relativistic", r1=1.0, learning_rate=0.0002),
    Recipe(augment=True),
    Recipe("dcgan", "bce", 0.0, False, 0.0001, 0.9, 48),
)


def trained(recipe: Recipe, loops: dataset.Pictures, judge: Judge, steps: int, channels: int) -> str:
    """Train by a recipe, and return its row."""
    from spectral_gan.learner import PairLearner
    from spectral_gan.model import build

    frames, bands = loops.train.shape[1:]
    network = {"frames": frames, "bands": bands, "latent": 64, "channels": channels, "name": recipe.network}
    learner = PairLearner(
        build(network), build(network), loss=recipe.loss, r1=recipe.r1, is_augmented=recipe.augment,
        learning_rate=recipe.learning_rate, momentum=recipe.momentum,
        latents=latents.drawn(judge.count, 64, 0), judge=judge,
    )  # fmt: skip
    batches = dataset.LoopBatches(loops.train, 32, 64)
    used, first = 0.0, min(10, steps - 1)
    for step in range(steps):
        if step == first:  # what is compiled is compiled by now
            used = time.process_time()
        pictures, draws = batches.window(*divmod(step, batches.windows))
        learner.train_discriminator(pictures, draws)
        learner.train_generator(pictures, draws)
        learner.update_average()
    each = 1000 * (time.process_time() - used) / (steps - first)
    found = learner.evaluate()
    numbers = (f"{found.more[name]:.2f}" for name in ("precision", "recall", "variety"))
    return f"| {recipe} | {found.loss:.0f} | {' | '.join(numbers)} | {each:.0f} ms |"


def main() -> None:
    """Compare, as the command line says."""
    parser = argparse.ArgumentParser(description="Ways to train the networks of lesson 6.")
    parser.add_argument("--data_dir", type=Path, default=Path(LESSON.starter_path), help="slices")
    parser.add_argument("--steps", type=int, default=1000, help="training steps of each")
    parser.add_argument("--smoke", action="store_true", help="a quick test: small pictures, and two steps")
    args = parser.parse_args()
    frames, bands, steps = (16, 16, 2) if args.smoke else (64, 128, args.steps)
    loops = dataset.load(args.data_dir, frames, bands, 0.1, MEL)
    judge = Judge(loops.train, loops.held_out)
    print(f"training slices: {judge.floor:.0f}; the best {judge.baseline.kind}: {judge.baseline.best:.0f}")
    print(f"| after {steps:,} steps | distance | precision | recall | variety | a step, of a core |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for recipe in RECIPES:
        print(trained(recipe, loops, judge, steps, 4 if args.smoke else recipe.channels), flush=True)


if __name__ == "__main__":
    main()
