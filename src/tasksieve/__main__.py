"""`python -m tasksieve`."""

from tasksieve.cli import run

if __name__ == "__main__":
    run()
