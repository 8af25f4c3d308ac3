"""Sample rates and levels that can be real, and the argument types of `--sample_rate` and `--silence_threshold`."""

from workshop import cli

#: Sample rates that can be real; a damaged one could make any amount of sound of a small file.
RATES = range(1000, 1_000_001)

sample_rate = cli.whole_from(RATES[0], RATES[-1])
threshold = cli.number(float, lambda v: -200 <= v < 1, "a level in dB below 0, 0, or a root mean square below 1")
