"""Method `multitask`."""

from tasksieve.training.methods.method import Method, register

MULTITASK = register(
    Method(
        name="multitask",
        summary="Learn from both, with a head each on a shared body.",
        updates=("primary", "related"),
        paper="Primary + Auxiliary Related (Multi-Task)",
    )
)
