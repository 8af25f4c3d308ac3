"""Write a trained network as an ONNX file, with a program that plays it.

    python -m workshop.export verse --to my_verse

The command's name; the code is in `workshop/export/command_line.py`.
"""

from workshop import cli
from workshop.export.command_line import main

if __name__ == "__main__":
    cli.run(main)
