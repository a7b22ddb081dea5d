"""Method `random-changing`."""

from tasksieve.training.methods.method import Method, register

RANDOM_CHANGING = register(
    Method(
        name="random-changing",
        summary="As multitask, with a new random weight each time a related example is seen.",
        updates=("primary", "related"),
        weighting="random-changing",
        paper="Random-Changing",
    )
)
