"""Nothing that is read is run: no pickle, eval or YAML tags anywhere in the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tasksieve

FILES = sorted(Path(tasksieve.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "code", "codeop"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {
    ("torch", "load"),
    ("yaml", "load"),
    ("yaml", "load_all"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("yaml", "Loader"),
    ("yaml", "UnsafeLoader"),
    ("yaml", "FullLoader"),
    ("np", "load"),
    ("numpy", "load"),
    ("os", "system"),
}


def found_in(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append(node.func.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [node.attr] if (node.value.id, node.attr) in ATTRIBUTES else []
        elif isinstance(node, ast.keyword) and node.arg == "shell":
            found.append("shell=")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FILES[0].parent)))
def test_no_file_can_run_what_it_reads(file: Path) -> None:
    assert found_in(ast.parse(file.read_text(encoding="utf-8"))) == []


def test_the_search_finds_what_it_is_for() -> None:
    code = "import pickle\nfrom dill import load\neval('1')\ntorch.load('x')\nyaml.load('x')\nrun('x', shell=True)\n"
    assert len(found_in(ast.parse(code))) == 6
