"""The methods, one file each; a file put here is found by itself."""

import importlib
import pkgutil

from tasksieve.training.methods.method import METHODS, Method, method_named, register

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["METHODS", "Method", "method_named", "register"]
