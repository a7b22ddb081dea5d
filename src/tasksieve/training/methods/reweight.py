"""Method `reweight`."""

from tasksieve.training.methods.method import Method, register

REWEIGHT = register(
    Method(
        name="reweight",
        summary="As multitask, with weights from one step's look ahead in each update, nothing being learned.",
        updates=("primary", "related"),
        weighting="look-ahead",
        reference="Ren, Zeng, Yang & Urtasun, 2018: Learning to Reweight Examples for Robust Deep Learning",
    )
)
