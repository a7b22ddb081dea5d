"""Estimators of the meta-gradient by name, one file each; a file put here is found by itself."""

import importlib
import pkgutil

from tasksieve.metagrad.estimators.estimator import (
    ESTIMATORS,
    Estimator,
    EstimatorKind,
    StatefulEstimator,
    estimator_named,
    register,
)

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["ESTIMATORS", "Estimator", "EstimatorKind", "StatefulEstimator", "estimator_named", "register"]
