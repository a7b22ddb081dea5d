"""Every reader, 500 damaged files: never a traceback, a hang or a flood of memory. The files follow from seeds.

``make fuzz`` reads 100,000 with each reader.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.contract import check
from tests.fuzz.mutation import TOKENS, mutated
from tests.fuzz.targets import Target, targets

MUTATED, GENERATED = 450, 50
LARGEST_GROWTH = 512 << 20
"""Bytes that the process may grow by, over all files of a reader."""
STEADY = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
TARGETS = targets()


@pytest.mark.parametrize("name", list(TARGETS))
def test_whole_files_are_taken(name: str, tmp_path: Path) -> None:
    taken = [check(TARGETS[name], tmp_path, seed) for seed in TARGETS[name].seeds]
    assert any(taken)


@pytest.mark.parametrize("name", list(TARGETS))
def test_damaged_files_end_in_a_result_or_a_sentence(name: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(MUTATED):
        check(TARGETS[name], tmp_path, mutated(TARGETS[name].seeds, number))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < LARGEST_GROWTH


def pieces(target: Target) -> st.SearchStrategy[bytes]:
    """Files of words of the seeds, tokens and anything, in any order."""
    words = [word for seed in target.seeds for word in (seed[:8], *seed.split()[:60], seed[-40:]) if word]
    part = st.sampled_from([*words, *TOKENS]) | st.binary(max_size=6) | st.sampled_from([b" ", b"\n", b"\t"])
    return st.lists(part, max_size=12).map(b"".join)


@pytest.mark.parametrize("name", list(TARGETS))
def test_generated_files_end_in_a_result_or_a_sentence(name: str, tmp_path: Path) -> None:
    @settings(STEADY, max_examples=GENERATED)
    @given(pieces(TARGETS[name]))
    def every(data: bytes) -> None:
        check(TARGETS[name], tmp_path, data)

    every()
