"""Method `primary`."""

from tasksieve.training.methods.method import Method, register

PRIMARY = register(
    Method(
        name="primary",
        summary="Learn from the primary task alone.",
        updates=("primary",),
        paper="Primary",
    )
)
