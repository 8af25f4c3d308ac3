"""Layers, and the draw from their logits. It opens no file."""
