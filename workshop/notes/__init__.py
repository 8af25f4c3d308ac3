"""Notes as tables [N, 4] in beats: read from MIDI and ABC, written as MIDI, and drawn. It makes no sound."""
