"""Groups of related turns, designed experiments over them, and learned runs that start from what these say."""

from __future__ import annotations

import itertools
import json
import statistics
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.dialogs.simulate import simulate
from tasksieve.dialogs.turn_kinds import turn_kind
from tasksieve.errors import UserError
from tasksieve.records.config import RunConfig, config_from
from tasksieve.records.progress import RunProgress
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import Start
from tasksieve.training.runs.dialogs import train
from tasksieve.training.screening.preparation import screening_of
from tasksieve.weighting import balanced_design, effects_of, response_groups
from tests.paper.starts import start_of
from tests.small import small_config

QUICK = {"trials": 8, "iterations": 10, "groups": 3, "distill_iterations": 60}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", ["restaurant", "hotel"])
def test_groups_of_simulated_responses_are_kinds_of_turn(kind: str) -> None:
    dialogs = simulate(kind, dialogs=60, seed=3)["train"]
    responses = [turn.system for dialog in dialogs for turn in dialog.turns]
    groups = response_groups(responses, 16)
    assert torch.bincount(groups).tolist() == sorted(torch.bincount(groups).tolist(), reverse=True)
    kinds_in = [{turn_kind(r) for r, g in zip(responses, groups, strict=True) if g == group} for group in range(16)]
    assert sum(len(kinds) == 1 for kinds in kinds_in) >= 14
    assert torch.equal(groups, response_groups(responses, 16))


def test_names_do_not_make_groups() -> None:
    responses = [f"what about place_{n}" for n in range(400)] + [f"call me at number_{n}" for n in range(200)]
    assert torch.bincount(response_groups(responses, 5)).tolist() == [400, 200]
    assert response_groups(["once"], 7).tolist() == [0]
    with pytest.raises(ValueError, match="at least one response"):
        response_groups([], 3)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([4, 8, 16, 32, 64]), st.data())
def test_designs_are_balanced_and_fold_over(trials: int, data: st.DataObject) -> None:
    factors = data.draw(st.integers(1, trials // 2))
    design = balanced_design(factors, trials, generator(data.draw(st.integers(0, 99))))
    signs = design.double() * 2 - 1
    assert torch.equal(signs.T @ signs, trials * torch.eye(factors).double())
    assert torch.equal(signs.sum(0), torch.zeros(factors).double())
    for one, two in itertools.combinations(range(min(factors, 6)), 2):
        assert torch.equal(signs.T @ (signs[:, one] * signs[:, two]), torch.zeros(factors).double())


@pytest.mark.parametrize(("factors", "trials"), [(5, 8), (1, 12), (1, 2), (1, 0)])
def test_designs_that_do_not_exist_are_refused(factors: int, trials: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        balanced_design(factors, trials, generator())


def test_effects_are_found_beside_interactions_and_noise() -> None:
    design = balanced_design(10, 32, generator())
    true = torch.tensor([3.0, -2.0, 0, 0, 1.5, 0, 0, 0, 0, -1.0], dtype=torch.float64)
    exact = 5 + (design.double() - 0.5) @ true
    found = effects_of(design, exact)
    torch.testing.assert_close(found.estimates, true)
    assert found.freedom == 21
    noise = 0.4 * torch.randn(32, generator=generator(1), dtype=torch.float64)
    together = 2.0 * (design[:, 2] & design[:, 3]).double()  # adds 1 to either's effect, and nothing to others
    mixed = effects_of(design, exact + noise + together)
    shifted = true + torch.tensor([0, 0, 1.0, 1, 0, 0, 0, 0, 0, 0])
    torch.testing.assert_close(mixed.estimates, shifted, atol=0.5, rtol=0)
    assert bool((mixed.chances[[0, 2, 4]] > 0.97).all())
    assert bool((mixed.chances[[1, 9]] < 0.05).all())


def test_effects_are_those_of_least_squares_with_students_errors() -> None:
    design, results = balanced_design(5, 16, generator(4)), torch.randn(16, generator=generator(5)).double()
    found = effects_of(design, results)
    columns = torch.cat([torch.ones(16, 1), design.double()], 1).double()
    solution = torch.linalg.lstsq(columns, results[:, None]).solution[:, 0]
    torch.testing.assert_close(found.estimates, solution[1:])
    residuals = results - columns @ solution
    covariance = torch.linalg.inv(columns.T @ columns) * (residuals @ residuals / 10)
    assert found.error == pytest.approx(float(covariance[1, 1].sqrt()))
    with pytest.raises(ValueError, match="not finite"):
        effects_of(design, results * float("nan"))
    with pytest.raises(ValueError, match="found 10 results of 10 trials with 9 groups"):
        effects_of(torch.ones(10, 9).bool(), results[:10])


def screened(tasks: Path, *related: str, **sections: Any) -> RunConfig:
    training = {"method": "learned", **sections.pop("training", {})}
    meta = {"updates": 0, **sections.pop("meta", {})}
    sections |= {"training": training, "meta": meta, "screening": QUICK}
    return small_config(tasks, *(related or ("restaurant",)), **sections)


def test_a_learned_run_starts_from_what_its_trials_say(tasks_dir: Path, tmp_path: Path) -> None:
    seen: list[RunProgress] = []
    train(screened(tasks_dir, "restaurant", "hotel"), tmp_path / "run", seen.append)
    folder = RunFolder(tmp_path / "run")
    trials = [json.loads(line) for line in (folder.path / "trials.jsonl").read_text().splitlines()]
    assert len(trials) == 8
    assert all(0 <= trial["result"] <= 100 for trial in trials)
    assert (seen[0].total, seen[-1].step, seen[0].step) == (92, 92, 10)
    design = torch.tensor([trial["groups"] for trial in trials])
    results = torch.tensor([trial["result"] for trial in trials], dtype=torch.float64)
    chances = effects_of(design, results).chances
    examples, weights = folder.read_examples(), folder.read_weights(0)["weight"]
    per_task = [examples.filter(examples["task"] == task)["system"].to_list() for task in (0, 1)]
    groups = torch.cat([response_groups(per_task[0], 1), response_groups(per_task[1], 1) + 1])
    assert design.shape[1] == 2
    for group in range(2):
        mean = float(weights.filter((groups == group).tolist()).mean() or 0)  # type: ignore[arg-type]
        assert mean == pytest.approx(float(chances[group]), abs=0.15)
    record = folder.read_record("screening")
    assert [group["chance"] for group in record["groups"]] == pytest.approx(chances.tolist())
    for place, group in enumerate(record["groups"]):
        texts = examples.filter((groups == place).tolist())["system"]
        assert (group["examples"], group["response"]) == (len(texts), statistics.mode(texts.to_list()))
    assert folder.read_weights(12)["weight"].to_list() == weights.to_list()  # nothing moved them since


def test_a_screening_goes_on_after_the_trials_that_were_done(tasks_dir: Path, tmp_path: Path) -> None:
    config = screened(tasks_dir, meta={"updates": 1})
    train(config, tmp_path / "whole")
    for done in (33, 85):
        stopped = tmp_path / f"stopped-{done}"

        def stop(report: RunProgress, done: int = done) -> None:
            if report.step >= done:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(config, stopped, stop)
        if done < 80:
            with (stopped / "trials.jsonl").open("a") as file:
                file.write('{"groups": [tr')
        train(config, stopped)
        for name in ("trials.jsonl", "metrics.jsonl"):
            assert (stopped / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
        assert RunFolder(stopped).read_weights().equals(RunFolder(tmp_path / "whole").read_weights())


def test_trials_of_something_else_are_refused(tasks_dir: Path, tmp_path: Path) -> None:
    config = screened(tasks_dir)

    def stop(report: RunProgress) -> None:
        if report.step >= 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", stop)
    file = tmp_path / "run" / "trials.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[2]["groups"][0] = not lines[2]["groups"][0]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match="is a trial of another run") as error:
        train(config, tmp_path / "run")
    assert (error.value.path, error.value.line) == (file, 3)


@pytest.mark.parametrize("trials", [1, 2, 4, 12, 33])
def test_numbers_of_trials_without_a_design_are_refused(tasks_dir: Path, trials: int) -> None:
    values = small_config(tasks_dir, "restaurant").model_dump(exclude_none=True) | {"screening": {"trials": trials}}
    with pytest.raises(UserError, match="must be a power of two from 8, or 0"):
        config_from(values)


@pytest.mark.parametrize(("count", "advice"), [(5, "screening.trials=16, or training"), (513, "set training")])
def test_more_related_tasks_than_trials_tell_apart_are_refused(tasks_dir: Path, count: int, advice: str) -> None:
    config = small_config(tasks_dir, "restaurant", screening=QUICK)
    start = start_of(config)

    def several(count: int) -> Start:
        tasks = start.tasks
        related = tasks.related * count
        return replace(start, tasks=SimpleNamespace(primary=tasks.primary, valid=tasks.valid, related=related))

    with pytest.raises(UserError, match=f"8 trials tell at most 4 groups apart, and each of the {count} .*{advice}"):
        screening_of(several(count), start.fresh_weight_module())
    assert screening_of(several(4), start.fresh_weight_module()).iterations == 80
