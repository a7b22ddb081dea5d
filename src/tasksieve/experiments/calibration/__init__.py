"""How often the verdict of a comparison is right, on planted archives of which the truth is known."""
