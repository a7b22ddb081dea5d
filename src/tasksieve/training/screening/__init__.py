"""Trials before a run: short trainings that show which groups of related examples help."""
