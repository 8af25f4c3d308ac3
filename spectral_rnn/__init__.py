"""Lesson 5: sound as spectra, frame by frame."""
