"""Open Sound Control: messages from other programs turn knobs here, and ask trained networks for music.

A network is known by what it generates, a lesson by what its files are; what either looks like is not known here.
"""
