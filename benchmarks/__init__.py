"""One script for each number that the README claims."""
