"""Simulated dialogs: a new task and two older ones to borrow from, to try everything without a download.

``restaurant`` follows the five tasks of dialog bAbI, ``personalized-restaurant`` their personalized form, and
``hotel`` is a neighbour that shares only greetings, contact information, places and prices with them.

``support`` is a pair of support desks that look like users' own work: :mod:`tasksieve.dialogs.simulate.support`.
"""

from tasksieve.dialogs.simulate.domains import KINDS
from tasksieve.dialogs.simulate.splits import SPLITS, simulate, write_simulation
from tasksieve.dialogs.simulate.support import simulate_support, write_support

__all__ = ["KINDS", "SPLITS", "simulate", "simulate_support", "write_simulation", "write_support"]
