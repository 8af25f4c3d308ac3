"""Audio as float32 samples [N] at a sample rate: read, cached, quantised, synthesised, checked, written, drawn."""
