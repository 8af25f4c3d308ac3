"""Lesson 4: sound with a memory, sample by sample."""
