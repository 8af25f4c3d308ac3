"""One script for each number that the workshop claims."""
