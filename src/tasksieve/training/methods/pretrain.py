"""Method `pretrain`."""

from tasksieve.training.methods.method import Method, register

PRETRAIN = register(
    Method(
        name="pretrain",
        summary="Learn from related data first, then from the primary task alone.",
        updates=("primary",),
        heads="one",
        pretrain=("related",),
        paper="Primary + Related Pre-Training",
    )
)
