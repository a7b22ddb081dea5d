"""Method `learned`."""

from tasksieve.training.methods.method import Method, register

LEARNED = register(
    Method(
        name="learned",
        summary="As multitask, with related examples weighted by the meta-learned module.",
        updates=("primary", "related", "weights"),
        weighting="learned",
        paper="Proposed Method",
    )
)
