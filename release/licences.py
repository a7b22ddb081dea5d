"""Write docs/licences.md: what the dependencies, and theirs, are licensed under.

    python -m release.licences [--check]

Read from the metadata of the packages that are installed, for the extras that are.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
GROUPS = {
    "": "to run",
    "serve": "to serve",
    "pretrained": "for sentences by a pretrained encoder",
    "lm": "to fine-tune a language model",
}
"""The package's extras that a user installs, and what for."""
OLDER = {"exceptiongroup": "MIT License", "six": "MIT License", "tomli": "MIT"}
"""Needed on Python 3.10 alone, and so not installed where the page is written on a newer one."""
FOR_CARDS = ("cuda-", "nvidia-", "triton")
"""How packages begin that torch brings along for graphics cards, where it is not the build for the CPU alone."""
_CLASSIFIER = "License :: OSI Approved :: "


def licence_of(found: Distribution) -> str:
    """The licence as the package names it: an SPDX expression, a classifier, or the first line of its text."""
    expression = found.metadata.get("License-Expression")
    if expression:
        return expression
    classifiers = found.metadata.get_all("Classifier") or []
    named = [line.removeprefix(_CLASSIFIER) for line in classifiers if line.startswith(_CLASSIFIER)]
    if named:
        return ", ".join(sorted(named))
    lines = (found.metadata.get("License") or "").strip().splitlines()
    return lines[0][:60] if lines else "not stated"


def needed(name: str, extras: Iterable[str]) -> list[Requirement]:
    """What a package requires, here and with these extras; nothing if it is not installed."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return []
    wanted = [Requirement(line) for line in lines]
    return [r for r in wanted if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in ("", *extras))]


def own(extra: str) -> list[Requirement]:
    """What tasksieve itself requires, here and with an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(project["optional-dependencies"][extra] if extra else ())]
    wanted = [Requirement(line) for line in lines]
    return [r for r in wanted if r.marker is None or r.marker.evaluate()]


def closure(extra: str) -> dict[str, Distribution]:
    """All packages that tasksieve with an extra brings along, by their names.

    Left out are those not installed, and those that torch needs for graphics cards.
    """
    found: dict[str, Distribution] = {}
    waiting = own(extra)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or name.startswith(FOR_CARDS):
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        waiting += needed(name, requirement.extras)
    return found


def page() -> str:
    """The whole file."""
    lines = [
        "# Licences of what tasksieve brings along",
        "",
        "Written by `python -m release.licences` from the metadata of the installed packages; not by hand. What only",
        "the tests need is not listed, nor is what a package needs on other systems.",
        "tasksieve itself: Apache-2.0.",
    ]
    listed: set[str] = set()
    for extra, purpose in GROUPS.items():
        packages = {name: found for name, found in sorted(closure(extra).items()) if name not in listed}
        listed |= packages.keys()
        if packages:
            lines += ["", f"## Needed {purpose}", "", "| package | licence |", "|---|---|"]
            lines += [f"| {name} | {licence_of(found)} |" for name, found in packages.items()]
    lines += ["", "## Needed on Python 3.10 as well", "", "| package | licence |", "|---|---|"]
    lines += [f"| {name} | {licence} |" for name, licence in OLDER.items() if name not in listed]
    lines += [
        "",
        "## Needed by torch for graphics cards",
        "",
        "Where it is not the build for the CPU alone, torch brings along triton (MIT License) and NVIDIA's",
        "libraries, `nvidia-…` and `cuda-…`, under NVIDIA's own licence or Apache-2.0.",
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if the page differs")
    if not parser.parse_args().check:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        raise SystemExit("docs/licences.md differs from what is installed; run python -m release.licences")


if __name__ == "__main__":
    main()
