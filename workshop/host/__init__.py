"""This computer and its servers. Standard library only, so that it answers while the rest is being installed."""
