"""Let a trained network sound.

    python sample.py --seconds 5 --num_samples 2

Takes the newest experiment and writes wav files into its folder `generated`; those that are there already are never
overwritten. The files grow as it goes, and Ctrl-C leaves what there is.
"""

from pathlib import Path

from workshop import cli
from workshop.run import arguments


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.sample_parser("Let a trained network sound.", None, "samples", "sound file to go on from")
    parser.alias("out", "--wav_out", "--wav_out_path")
    group = parser.add_argument_group("wavenet")
    group.add_argument("--seconds", type=cli.positive, help="the same as --length, in seconds; without both, 3")
    group.add_argument("--condition", metavar="NAME", help="which of the sounds it learnt by name; else all in turn")
    group.add_argument("--with_prime", action="store_true", help="begin the file with the sound that it goes on from")
    group.add_argument("--save_every", type=cli.count, default=16000, help="samples between two writings of the files")
    group.add_argument("--png", action="store_true", help="draw waveform and spectrogram too")
    args = parser.read()

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np

    from wavenet.trained import Trained
    from workshop.audio import audiofiles, conditions, mu_law
    from workshop.audio.quality import judge
    from workshop.audio.spectrogram import spectrogram
    from workshop.audio.writing import Growing, Meter
    from workshop.files import free_names
    from workshop.pictures import write_png
    from workshop.visible import visible_line

    net = Trained.open(args)
    rate, names = net.rate, net.conditions
    labels = np.array(conditions.numbers(args.condition, names, args.num_samples))
    length = args.length or round((args.seconds or 3) * rate)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = np.empty(0, np.uint8)
    if args.prime:
        sound = audiofiles.read_sound(Path(args.prime), rate)
        prompt = mu_law.encode(sound.samples)
        for remark in sound.remarks:
            cli.say(f"{args.prime}: {remark}")

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    config = net.sampling(args.temperature, args.top_k, args.top_p)
    generator = net.generator(labels)
    field = net.model.shape.receptive_field
    if len(prompt) and len(prompt) < field:
        cli.say(f"the prime is shorter than the {field / rate:.2f} s that the network sees: silence is put before it")
    stems = free_names(args.out, net.experiment.path / "generated", args.num_samples, (".wav",))
    begun = mu_law.decode(prompt if args.with_prime else prompt[:0])
    prompts = prompt[:, None].repeat(args.num_samples, axis=1)
    with Growing(stems, rate, begun, args.save_every) as growing, Meter(length, args.num_samples, rate) as meter:
        for piece in generator.generate(prompts, length, args.seed, config):
            growing.add(mu_law.decode(piece))
            meter.update(len(piece))
    cli.say(f"{meter.speed()}")

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    for file, samples, label in zip(growing.files, growing.sounds(), labels, strict=True):
        print(visible_line(str(file)))
        judgement = judge(samples[len(begun) :])
        name = f", {names[label]}" if names else ""
        cli.say(f"{file.name}{name}: {len(samples) / rate:.2f} s, {judgement.words}")
        if judgement.advice:
            cli.say(f"  {judgement.advice}")
        if args.png:
            write_png(file.with_suffix(".png"), spectrogram(samples, rate, file.stem))


if __name__ == "__main__":
    cli.run(main)
