"""The methods, one file each with its algorithm; a file put here is found by itself, and so is one of a plug-in."""

import importlib
import pkgutil

from tasksieve.training.loop.method import Method, Preparation, Start, Update, Weighing
from tasksieve.training.methods.registry import all_methods, method_named, names_for, register, rivals

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Method",
    "Preparation",
    "Start",
    "Update",
    "Weighing",
    "all_methods",
    "method_named",
    "names_for",
    "register",
    "rivals",
]
