"""Simple baselines: logistic regression and ranking by nearness, by scikit-learn, in seconds."""

from tasksieve.training.runs.simple.run import SimpleModel, check_suits, fit
from tasksieve.training.runs.simple.vectors import has_vectors

__all__ = ["SimpleModel", "check_suits", "fit", "has_vectors"]
