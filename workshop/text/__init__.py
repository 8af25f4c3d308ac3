"""Text in and out: files, encodings, and passages copied from the training data."""
