"""Lesson 2: learn to play from MIDI files, event by event."""
