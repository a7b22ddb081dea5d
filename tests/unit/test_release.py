"""The pages that scripts write are what they write, and every dependency has a licence that we know."""

from __future__ import annotations

import pytest

from benchmarks import reliability
from release import audit, licences


def test_the_page_on_reliability_is_that_of_the_records() -> None:
    assert reliability.PAGE.read_text() == reliability.page()
    assert "| lost |" in reliability.page()


def test_every_dependency_that_is_installed_is_listed_with_a_licence() -> None:
    listed = licences.PAGE.read_text()
    for extra in licences.GROUPS:
        for name, found in licences.closure(extra).items():
            assert f"| {name} | " in listed, "run python -m release.licences"
            assert licences.licence_of(found) != "not stated"


def test_an_audit_tells_flaws_and_what_it_could_not_look_up(capsys: pytest.CaptureFixture[str]) -> None:
    clean = {"name": "a", "version": "1", "vulns": []}
    flawed = {"name": "b", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["3"]}]}
    assert audit.tell([clean]) == 0
    assert audit.tell([clean, flawed]) == 1
    assert "b 2: X-1, mended in 3" in capsys.readouterr().out
    assert audit.tell([clean, {"name": "c", "skip_reason": "not there"}]) == audit.UNKNOWN
    assert "nothing is known of them: c" in capsys.readouterr().out
