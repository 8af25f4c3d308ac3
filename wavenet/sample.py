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

    from wavenet.trained import Trained
    from workshop.audio import conditions, mu_law, writing
    from workshop.files import free_names

    net = Trained.open(args)
    rate, names = net.rate, net.conditions
    labels = np.array(conditions.numbers(args.condition, names, args.num_samples))
    length = net.samples(args.length, args.seconds)

    # ---- 3 prime -----------------------------------------------------------------------------------------------------
    prompt = writing.prompt(args.prime, rate)
    field = net.model.shape.receptive_field
    if len(prompt) and len(prompt) < field:
        cli.say(f"the prime is shorter than the {field / rate:.2f} s that the network sees: silence is put before it")

    # ---- 4 generate --------------------------------------------------------------------------------------------------
    config = net.sampling(args.temperature, args.top_k, args.top_p)
    stems = free_names(args.out, net.experiment.generated, args.num_samples, (".wav",))
    begun = mu_law.decode(prompt if args.with_prime else prompt[:0])
    growing = writing.IncrementalWavWriter(stems, rate, begun, args.save_every)
    prompts = prompt[:, None].repeat(args.num_samples, axis=1)
    writing.record(net.generator(labels).generate(prompts, length, args.seed, config), length, growing)

    # ---- 5 write -----------------------------------------------------------------------------------------------------
    writing.report(growing, [names[label] if names else "" for label in labels], args.png)


if __name__ == "__main__":
    cli.run(main)
