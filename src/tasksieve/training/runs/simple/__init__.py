"""Simple baselines: logistic regression and ranking by nearness, by scikit-learn, in seconds."""

from tasksieve.training.runs.simple.run import SimpleModel, fit

__all__ = ["SimpleModel", "fit"]
