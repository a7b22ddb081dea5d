"""Runs shown by other programs while they train: a file a program, none imported before it is asked for."""

from tasksieve.training.tracking.tracker import Tracker
from tasksieve.training.tracking.tracking import PROGRAMS, Trackers, Tracking

__all__ = ["PROGRAMS", "Tracker", "Trackers", "Tracking"]
