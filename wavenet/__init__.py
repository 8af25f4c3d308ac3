"""Lesson 3: learn to make sounds, sample by sample."""
