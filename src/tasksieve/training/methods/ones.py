"""Method `ones`."""

from tasksieve.training.methods.method import Method, register

ONES = register(
    Method(
        name="ones",
        summary="As learned, with all weights 1: the paper's '1 for all'; with primary updates this is multitask.",
        updates=("primary", "related"),
        paper="1 for All",
    )
)
