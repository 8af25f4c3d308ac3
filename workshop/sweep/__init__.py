"""The same training many times with other arguments, on one computer or on many that share a folder. It starts a
lesson's `train.py` as a process, and knows of it what run.json says.
"""
