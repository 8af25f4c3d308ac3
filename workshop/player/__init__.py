"""Exported networks, played without TensorFlow: a page for each of them, and OSC, in an image of their own."""
