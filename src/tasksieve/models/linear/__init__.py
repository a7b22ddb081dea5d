"""Linear models of images."""
