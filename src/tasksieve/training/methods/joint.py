"""Method `joint`."""

from tasksieve.training.methods.method import Method, register

JOINT = register(
    Method(
        name="joint",
        summary="Learn from all examples as if they were one task.",
        updates=("pooled",),
        heads="one",
        paper="Primary + Related",
    )
)
