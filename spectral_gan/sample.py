"""Let a trained network make loops.

    python sample.py --num_samples 8 --png

Takes the newest experiment and writes wav files into its folder `generated`; those that are there already are never
overwritten. Each file is a loop that can be repeated for ever, and says its tempo. --walk, --fade and --pingpong put
several loops into a file, each a little different from the one before.
"""

from workshop import cli
from workshop.errors import UserError
from workshop.run import arguments

#: What the other lessons have, and a loop of latent values has not.
NO_SYMBOLS = ("top_k", "top_p", "prime")
#: The ways through the latent space.
WAYS = ("walk", "fade", "pingpong")
#: Loops on such a way; more would only fill the memory.
MAX_STEPS = 10_000


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.sample_parser("Let a trained network make loops.", None, "samples", "nothing", num_samples=1)
    parser.hide(*NO_SYMBOLS)
    steps = cli.whole_from(1, MAX_STEPS)
    group = parser.add_argument_group("latent space")
    values = "a file of latent values, or the values themselves with commas between them; random without it"
    group.add_argument("--latent", metavar='FILE|"0.3,..."', help=values)
    group.add_argument("--to", metavar='FILE|"0.3,..."', help="the same, for where --fade and --pingpong lead")
    group.add_argument(
        "--fade", type=steps, metavar="STEPS", help="number of loops on the way from one point to another"
    )
    group.add_argument("--pingpong", type=steps, metavar="STEPS", help="there and back, to be repeated")
    group.add_argument("--walk", type=steps, metavar="STEPS", help="number of loops of a random walk")
    group.add_argument("--morph", type=cli.probability, default=0.3, help="how much changes in a step of --walk")
    group.add_argument("--straight", action="store_true", help="interpolate linearly, not spherically")
    group.add_argument("--save_latent", action="store_true", help="write the latent values beside each file")
    group = parser.add_argument_group("sound")
    group.add_argument("--seconds", type=cli.positive, help="repeat the loop to this length; by default one loop")
    group.add_argument("--bpm", type=cli.positive, help="tempo; by default that of the data")
    group.add_argument("--bits", type=int, choices=(16, 24, 32), default=16, help="bits a sample; 32 is floating point")
    group.add_argument("--png", action="store_true", help="draw waveform and spectrogram too")
    args = parser.read()
    for name in args.given.intersection(NO_SYMBOLS):
        raise UserError(f"--{name} is for what is written step by step, and a loop is made at once: try --latent")
    if len(args.given.intersection(WAYS)) > 1:
        raise UserError("--walk, --fade and --pingpong are three ways through the latent space: choose one")
    if args.to is not None and not (args.fade or args.pingpong):
        raise UserError("--to says where --fade or --pingpong leads: give one of them")

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np

    from spectral_gan import output
    from spectral_gan.generate import latent_of
    from spectral_gan.trained import Trained
    from workshop.audio import latents
    from workshop.files import free_names

    net = Trained.open(args)
    bpm = args.bpm or net.bpm
    loops = net.loops.at_length(net.samples * net.bpm / bpm)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    temperature = net.sampling(args.temperature).temperature
    # Two points for each sample, so that one leads somewhere else than the next.
    points = latents.drawn(2 * args.num_samples, net.latent_size, args.seed, temperature)
    starts, ends = points[::2], points[1::2]
    for option, given, ours in (("--latent", args.latent, starts), ("--to", args.to, ends)):
        if given is not None:
            ours[:] = latent_of(given, net.latent_size, option)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    def way(start: np.ndarray, end: np.ndarray, number: int) -> np.ndarray:
        """The latent values [S, Z] of one file."""
        if args.walk:
            return latents.walk(start, args.walk, args.morph, args.seed + number, temperature)
        if args.fade:
            return latents.fade(start, end, args.fade, not args.straight)
        return latents.pingpong(start, end, args.pingpong or 1, not args.straight)

    ways = [way(start, end, number) for number, (start, end) in enumerate(zip(starts, ends, strict=True))]
    # Single loops all at once, which is faster.
    singly = len(ways[0]) == 1
    sounds = list(loops.sounds(np.concatenate(ways))) if singly else [loops.row(points) for points in ways]

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    stems = free_names(args.out, net.experiment.generated, args.num_samples, (".wav",))
    length = net.length(args.length, args.seconds) if args.length or args.seconds else None
    output.write(stems, sounds, net.rate, net.beats * len(ways[0]), bpm, bits=args.bits, length=length, png=args.png)
    if args.save_latent:
        output.write_latents(stems, ways)


if __name__ == "__main__":
    cli.run(main)
