"""Build wheel and sdist twice from clean copies, demand the same bytes, and try the wheel in a clean environment.

    python -m release.dist [--out dist] [--no-try]

The date inside the files is that of the last commit (SOURCE_DATE_EPOCH), so that anybody can build the same bytes.
Only files that are committed, or would be, go in.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from release.environments import fresh_environment

ROOT = Path(__file__).resolve().parents[1]


def epoch() -> str:
    """Seconds of the last commit."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return os.environ["SOURCE_DATE_EPOCH"]
    return _git("log", "-1", "--format=%ct").strip()


def copy_sources(target: Path) -> None:
    """Copy what git knows, or would take, to another folder."""
    for name in _git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)


def build(python: Path, sources: Path) -> dict[str, bytes]:
    """Build both files; their contents by name."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch()}
    words = [str(python), "-m", "build", "--no-isolation", "--outdir", str(sources / "out"), str(sources)]
    subprocess.run(words, env=environment, check=True, stdout=subprocess.DEVNULL)
    return {
        file.name: file.read_bytes() for file in sorted((sources / "out").iterdir()) if file.suffix != ".gitignore"
    }


def try_out(wheel: Path, folder: Path) -> str:
    """Install the wheel in a clean environment, with the versions that the tests run on; what it says it is."""
    options = ("--constraint", str(ROOT / "constraints.txt"))
    python = fresh_environment(folder, str(wheel), options=options)
    program = python.with_name("tasksieve")
    return subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Build, compare, try."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--no-try", action="store_true", help="do not install the wheel")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = fresh_environment(Path(folder) / "tools", "build", "hatchling")
        built = []
        for name in ("one", "a-longer-name-than-one"):
            copy_sources(Path(folder) / name)
            built.append(build(python, Path(folder) / name))
        differing = [name for name in built[0].keys() | built[1].keys() if built[0].get(name) != built[1].get(name)]
        if differing:
            raise SystemExit(f"two builds of the same sources differ: {', '.join(sorted(differing))}")
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, data in built[0].items():
            (arguments.out / name).write_bytes(data)
            print(
                f"{hashlib.sha256(data).hexdigest()}  {arguments.out / name}  (built twice, byte for byte the same)"
            )
        if not arguments.no_try:
            wheel = next(arguments.out / name for name in built[0] if name.endswith(".whl"))
            print(f"in a clean environment: {try_out(wheel.resolve(), Path(folder) / 'try')}")


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
