"""Two simulated support desks of an energy company, an older and a newer one: dialogs like those that users have.

Customers type as people do, agents say the same thing in many ways, tools are called and answer, and every turn says
what the agent does in it and where values stand. The older desk has many dialogs and other policies than the newer.
"""

from tasksieve.dialogs.simulate.support.files import NEW_SPLITS, simulate_support, write_support

__all__ = ["NEW_SPLITS", "simulate_support", "write_support"]
