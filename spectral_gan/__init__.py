"""Lesson 6: loops from a latent space."""
