"""One HTML file that stands alone: styles, figures and one small script inside it, nothing fetched.

Without script nothing is missing but the slider over training. A policy in the page lets no other script run, for the
dialogs in it are other people's text.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasksieve.errors import UserError
from tasksieve.records.files import write_text
from tasksieve.report.blocks import Page
from tasksieve.report.pages import comparison_page, run_page


def write_report(folder: Path, out: Path | None = None) -> Path:
    """Write the report of a run or of a comparison.

    Args:
        folder: a run folder (it has a ``config.toml``) or a comparison folder (it has a ``comparison.json``).
        out: the file to write, or a folder for ``report.html``; the default is ``folder`` itself.
    Returns: the file written.
    Raises: UserError: if ``folder`` is neither, or a record in it cannot be read.
    """
    if (folder / "comparison.json").exists():
        page = comparison_page(folder)
    elif (folder / "config.toml").exists():
        page = run_page(folder)
    else:
        raise UserError(
            "is neither a run folder (no config.toml) nor a comparison folder (no comparison.json); "
            "give the --out of `tasksieve train` or `tasksieve compare`",
            folder,
        )
    target = folder if out is None else out
    if target.is_dir():
        target = target / "report.html"
    write_text(target, render(page))
    return target


def render(page: Page) -> str:
    """The page as HTML. Every text is escaped; what cannot be encoded is replaced."""
    environment = _environment()
    script = _script(environment)
    text = environment.get_template("report.html.j2").render(page=page, script=Markup(script), policy=_policy(script))
    return text.encode("utf-8", "replace").decode("utf-8")


def _script(environment: Environment) -> str:
    assert environment.loader is not None
    return "\n" + environment.loader.get_source(environment, "report.js")[0]


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tasksieve.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
