"""Make an application of a trained network.

    python -m workshop.freeze spectral_gan/01

The command's name; the code is in `workshop/osc/freezing.py`.
"""

from workshop import cli
from workshop.osc.freezing import main

if __name__ == "__main__":
    cli.run(main)
