"""Comparisons of methods over sizes and seeds, and the demo."""
