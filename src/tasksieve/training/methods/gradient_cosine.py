"""Method `gradient-cosine`."""

from tasksieve.training.methods.method import Method, register

GRADIENT_COSINE = register(
    Method(
        name="gradient-cosine",
        summary="As multitask, a related batch weighted by the cosine between its gradient and the primary one.",
        updates=("primary", "related"),
        weighting="cosine",
        reference="Du et al., 2018: Adapting Auxiliary Losses Using Gradient Similarity",
    )
)
