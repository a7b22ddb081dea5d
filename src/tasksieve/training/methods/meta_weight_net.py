"""Method `meta-weight-net`."""

from tasksieve.training.methods.method import Method, register

META_WEIGHT_NET = register(
    Method(
        name="meta-weight-net",
        summary="As learned, but the weight module sees nothing of an example but its loss; no screening.",
        updates=("primary", "related", "weights"),
        weighting="learned-from-loss",
        reference="Shu et al., 2019: Meta-Weight-Net: Learning an Explicit Mapping For Sample Weighting",
    )
)
