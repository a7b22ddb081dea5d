"""The command line: parse, call, print; no logic of its own."""

from tasksieve.cli.app import app, run

__all__ = ["app", "run"]
