"""Look up the pinned dependencies among the known vulnerabilities, with pip-audit in an environment of its own.

    python -m release.audit [--folder build/audit]

Exit code 0: none known. 1: some are. 3: not all could be looked up, and of the others none are known.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from release.environments import fresh_environment

ROOT = Path(__file__).resolve().parents[1]
UNKNOWN = 3


def main() -> None:
    """Audit constraints.txt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "audit")
    python = fresh_environment(parser.parse_args().folder, "pip-audit")
    words = [str(python), "-m", "pip_audit", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    words += ["--format", "json", "--requirement", str(ROOT / "constraints.txt")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"the known vulnerabilities could not be looked up, nothing was audited: {reason}", file=sys.stderr)
        raise SystemExit(UNKNOWN) from None
    raise SystemExit(tell(packages))


def tell(packages: list[dict[str, Any]]) -> int:
    """Print what was found; returns the exit code."""
    audited = [package for package in packages if "skip_reason" not in package]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    bad = [(package, flaw) for package in audited for flaw in package["vulns"]]
    for package, flaw in bad:
        mended = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}")
    print(f"{len(audited)} packages of constraints.txt looked up: {len(bad)} known vulnerabilities")
    if skipped:
        print(f"{len(skipped)} could not be looked up, nothing is known of them: {', '.join(skipped)}")
    return 1 if bad else UNKNOWN if skipped else 0


if __name__ == "__main__":
    main()
