"""Short trainings before a run, which show what groups of related examples help."""
