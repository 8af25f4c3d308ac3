"""Lesson 1: text, character by character."""
