"""Method `oracle`."""

from tasksieve.training.methods.method import Method, register

ORACLE = register(
    Method(
        name="oracle",
        summary="As multitask, with weight 1 for related examples labelled right and 0 for the others.",
        updates=("primary", "related"),
        weighting="labels",
        paper="Oracle",
    )
)
