"""Matching: contexts and choices as vectors and words, scored by learned maps and by what they have in common."""
