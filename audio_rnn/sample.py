"""Let a trained network sound.

    python sample.py --seconds 5 --num_samples 2

Takes the newest experiment and writes wav files into its folder `generated`; those that are there already are never
overwritten. The files grow as it goes, and Ctrl-C leaves what there is.
"""

from workshop import cli
from workshop.audio import arguments


def main() -> None:
    """Generate, as the command line says."""
    # ---- 1 arguments -------------------------------------------------------------------------------------------------
    parser = arguments.sample_parser("Let a trained network sound.")
    arguments.ask_for_condition(parser)
    args = parser.read()

    # ---- 2 load the experiment ---------------------------------------------------------------------------------------
    import numpy as np

    from audio_rnn.trained import Trained
    from workshop.audio import conditions, writing
    from workshop.files import free_names

    net = Trained.open(args)
    names = net.conditions
    labels = np.array(conditions.numbers(args.condition, names, args.num_samples))
    length = net.samples(args.length, args.seconds)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = writing.prompt(args.prime, net.rate, net.quantisation)

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    config = net.sampling(args.temperature, args.top_k, args.top_p)
    stems = free_names(args.out, net.experiment.generated, args.num_samples, (".wav",))
    begun = net.quantisation.decode(prompt if args.with_prime else prompt[:0])
    growing = writing.IncrementalWavWriter(stems, net.rate, begun, args.save_every)
    prompts = prompt[:, None].repeat(args.num_samples, axis=1)
    pieces = net.generator(labels).generate(prompts, length, args.seed, config)
    writing.record(pieces, length, growing, net.quantisation.decode)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    writing.report(growing, [names[label] if names else "" for label in labels], args.png)


if __name__ == "__main__":
    cli.run(main)
