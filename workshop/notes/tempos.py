"""Tempos that can be real, and the argument type of `--tempo`."""

from workshop import cli

#: The slowest and the fastest tempo, in beats a minute.
TEMPOS = (10, 1000)

tempo = cli.number(float, lambda v: TEMPOS[0] <= v <= TEMPOS[1], "a number from {} to {}".format(*TEMPOS))
