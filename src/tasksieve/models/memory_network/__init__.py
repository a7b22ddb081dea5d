"""The memory network of the paper."""
