"""Method `random-fixed`."""

from tasksieve.training.methods.method import Method, register

RANDOM_FIXED = register(
    Method(
        name="random-fixed",
        summary="As multitask, with a random weight drawn once for each related example.",
        updates=("primary", "related"),
        weighting="random-fixed",
        paper="Random-Fixed",
    )
)
