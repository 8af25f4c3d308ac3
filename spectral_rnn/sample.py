"""Let a trained network sound.

    python sample.py --seconds 60 --num_samples 3 --fade_in 2 --fade_out 8

Takes the newest experiment and writes wav files into its folder `generated`; those that are there already are never
overwritten. It goes on from an excerpt of the data, or from any sound: --seed_from FILE.wav. The files grow as it goes,
and Ctrl-C leaves what there is.
"""

from workshop import cli
from workshop.audio import arguments
from workshop.errors import UserError

#: What the other lessons have, and a density of frames has not.
NO_SYMBOLS = ("top_k", "top_p")


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    begin = "sound file to go on from; random: an excerpt of the held-out data; silence. Also --seed_from"
    parser = arguments.sample_parser("Let a trained network sound.", begin, seconds=10)
    parser.alias("prime", "--seed_from")
    parser.set_defaults(prime="random")
    parser.hide(*NO_SYMBOLS)
    group = parser.add_argument_group("spectra")
    group.add_argument("--fade_in", type=cli.not_negative, default=0.0, help="seconds in which it becomes loud")
    group.add_argument(
        "--fade_out", type=cli.not_negative, default=0.0, help="seconds in which it dies away at the end"
    )
    group.add_argument(
        "--save_raw", action="store_true", help="keep the frames: levels in dB [frames, bands] (or parts), as .npy"
    )
    phase = "how the phase is found: best looks to both sides, live only back, as one does who plays"
    group.add_argument("--phase", choices=("best", "live"), default="best", help=phase)
    args = parser.read()
    for name in args.given.intersection(NO_SYMBOLS):
        raise UserError(
            f"--{name} is for symbols, and frames are drawn from a density: lower the --temperature instead"
        )

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np

    from spectral_rnn import output
    from spectral_rnn.trained import Trained
    from workshop.audio import writing
    from workshop.files import free_names

    net = Trained.open(args)
    length = net.samples(args.length, args.seconds)
    for name in net.without(args.given):
        raise UserError(
            f"{net.experiment.path} was trained with --target complex: it guesses and draws nothing, and knows the "
            f"phase; leave out --{name}"
        )

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = net.prompt(args.prime, args.seed)
    if args.with_prime:
        length += len(prompt) * net.bands.stft.hop

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    temperature, *_ = net.sampling(args.temperature).knobs(1)
    raw: list[np.ndarray] | None = [] if args.save_raw else None
    pieces = net.sound(prompt, length, args.num_samples, args.seed, temperature, args.phase, args.with_prime, raw)
    fade_in, fade_out = (output.fade_samples(seconds, net.rate) for seconds in (args.fade_in, args.fade_out))
    stems = free_names(args.out, net.experiment.generated, args.num_samples, (".wav", ".npy"))
    growing = writing.IncrementalWavWriter(stems, net.rate, np.empty(0), args.save_every)
    writing.record(output.faded(pieces, length, fade_in, fade_out), length, growing, decode=np.asarray)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    if raw is not None:
        output.save_raw(stems, np.concatenate(raw), "real and imaginary parts" if net.guesses else "levels in dB")
    writing.report(growing, [""] * args.num_samples, args.png)


if __name__ == "__main__":
    cli.run(main)
