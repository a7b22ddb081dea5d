"""The command line as a user meets it: output, exit codes, error texts, 80 columns."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tests.commands import Cli, call, small_options
from tests.unit.archives import write_archive


def task_options(tasks: Path) -> list[str]:
    primary = str(tasks / "primary")
    return ["--primary", primary, "--valid", primary, "--related", str(tasks / "restaurant"), *small_options()]


COMMANDS = ("demo", "compare", "train", "evaluate", "weights", "chat", "report", "simulate", "serve", "sieve")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches_within_80_columns(cli: Cli, command: str) -> None:
    ended = cli(*([command] if command else []), "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    assert all(name in ended.out for name in (COMMANDS if not command else ("--help",)))


def test_version_and_no_arguments(cli: Cli) -> None:
    assert cli("--version").out.startswith("tasksieve ")
    assert "Usage: tasksieve" in cli().out


def test_simulate_writes_the_four_splits(cli: Cli, tmp_path: Path) -> None:
    ended = cli("simulate", "hotel", "--dialogs", 3, "--seed", 1, "--task", 2, "--out", "dialogs")
    assert ended.code == 0
    names = ["train.txt", "valid.txt", "test.txt", "test-oov.txt"]
    assert ended.out.splitlines() == [f"Wrote {Path('dialogs') / name}" for name in names]
    assert all((tmp_path / "dialogs" / name).read_text().count("\n1 ") == 2 for name in names)
    wrong = cli("simulate", "circus", "--out", "x")
    assert (wrong.code, wrong.out) == (2, "")
    assert "circus" in wrong.err
    assert "hotel" in wrong.err


def test_simulate_support_writes_a_new_desk_and_an_archive_of_services(cli: Cli, tmp_path: Path) -> None:
    numbers = ("--dialogs", 2, "--train", 3, "--valid", 4, "--test", 5)
    ended = cli("simulate", "support", *numbers, "--seed", 1, "--out", "desks")
    assert (ended.code, len(ended.out.splitlines())) == (0, 3 + 9), ended.err
    new, old = (sorted((tmp_path / "desks" / name).iterdir()) for name in ("new", "old"))
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in new}
    assert lines == {"test.jsonl": 5, "train.jsonl": 3, "valid.jsonl": 4}
    assert len(old) == 9
    assert all(len(path.read_text(encoding="utf-8").splitlines()) == 2 for path in old)
    checked = cli("validate", *(str(path) for path in [*new, *old]))
    assert checked.code == 0, checked.out
    assert cli("simulate", "support", "--task", 3, "--out", "x").err.startswith("error: found --task, which support")
    assert "found --test, which hotel has not" in cli("simulate", "hotel", "--test", 3, "--out", "x").err


@pytest.fixture(scope="module")
def learned_run(tasks_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = call("train", *task_options(tasks_dir), "--out", folder)
    assert done.code == 0, done.err
    assert "learned: validation accuracy" in done.out
    assert "Next: tasksieve evaluate" in done.out
    assert f", tasksieve weights {folder}, tasksieve chat {folder}" in done.out
    return folder


def test_only_commands_that_a_run_is_ready_for_are_named_next(cli: Cli, tasks_dir: Path) -> None:
    done = cli("train", *task_options(tasks_dir), "--method", "multitask", "--no-audit", "--out", "run")
    assert done.code == 0, done.err
    assert "Next: tasksieve evaluate run --data TEST, tasksieve chat run\n" in done.out
    assert cli("weights", "run").code == 2


def test_train_prints_json_for_machines_and_finishes_at_once_when_done(
    cli: Cli, learned_run: Path, tasks_dir: Path
) -> None:
    ended = cli("train", *task_options(tasks_dir), "--out", learned_run, "--json")
    assert ended.code == 0
    assert json.loads(ended.out) == json.loads((learned_run / "result.json").read_text())


def test_a_tracker_that_is_not_installed_is_said_before_any_work(
    cli: Cli, tasks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasksieve.training.tracking.tracking.find_spec", lambda name: None)
    for command in (("train",), ("compare", "--test", tasks_dir / "primary")):
        ended = cli(*command, *task_options(tasks_dir), "--out", "new", "--track", "tensorboard")
        assert ended.code == 2
        assert ended.err.splitlines()[-1] == (
            "error: tensorboard is not installed; install the extra: pip install 'tasksieve[tensorboard]'"
        )
    assert not (tmp_path / "new").exists()


def test_evaluate_shows_kinds_and_the_ceiling(cli: Cli, learned_run: Path, tasks_dir: Path) -> None:
    ended = cli("evaluate", learned_run, "--data", tasks_dir / "primary")
    assert ended.code == 0
    assert "ceiling" in ended.out
    assert "greeting" in ended.out
    record = json.loads(cli("evaluate", learned_run, "--data", tasks_dir / "primary", "--json").out)
    assert record["hits"]["1"] == record["accuracy"] <= record["coverage"]["candidate_ceiling"]


def test_weights_are_shown_ranked_and_exported(cli: Cli, learned_run: Path, tmp_path: Path) -> None:
    shown = cli("weights", learned_run)
    assert "Mean weight by kind of turn" in shown.out
    assert "Highest weights at iteration 12" in shown.out
    assert "Lowest weights at iteration 12" in shown.out
    assert "Borrowed most at iteration 12: dialog" in shown.out
    assert "Borrowed least at iteration 12: dialog" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    top = json.loads(cli("weights", learned_run, "--top", 2, "--json").out)
    assert list(top) == ["highest"]
    assert top["highest"][0]["weight"] >= top["highest"][1]["weight"]
    assert "lowest" in json.loads(cli("weights", learned_run, "--bottom", 1, "--step", 0, "--json").out)
    assert list(json.loads(cli("weights", learned_run, "--json").out)) == ["highest", "lowest"]
    dialogs = cli("weights", learned_run, "--dialogs", 2).out
    assert (dialogs.count("Borrowed most"), dialogs.count("Mean weight by kind")) == (2, 0)
    whole = json.loads(cli("weights", learned_run, "--dialogs", 2, "--json").out)
    assert list(whole) == ["highest_dialogs", "lowest_dialogs"]
    assert set(whole["highest_dialogs"][0]["turns"][0]) == {"turn", "kind", "user", "system", "weight"}
    ended = cli("weights", learned_run, "--export", "w.csv", "--all-steps")
    assert ended.out == f"Wrote {len(pl.read_csv(tmp_path / 'w.csv')):,} rows to w.csv\n"
    assert cli("weights", learned_run, "--step", 3).code == 2
    assert cli("weights", learned_run, "--export", "w.xls").code == 2


def test_chat_answers_line_by_line(cli: Cli, learned_run: Path) -> None:
    ended = cli("chat", learned_run, "--top", 2, stdin="/profile male young\ngood morning\n\n/reset\n/quit\nnever\n")
    assert ended.code == 0
    assert ended.out.count("%") == 4
    assert "profile: male young" in ended.out
    lines = cli("chat", learned_run, "--json", "--top", 3, stdin="good morning\n").out.splitlines()
    assert [len(json.loads(line)["answers"]) for line in lines] == [3]


def test_compare_prints_a_table_a_verdict_and_what_sizes_are_worth_and_writes_a_report(
    cli: Cli, tasks_dir: Path, tmp_path: Path
) -> None:
    options = (*task_options(tasks_dir), "--test", tasks_dir / "primary", "--out", "c", "--seeds", 1, "--workers", 1)
    ended = cli("compare", *options, "--sizes", "3,6")
    assert ended.code == 0, ended.err
    assert max(map(len, ended.out.splitlines())) <= 80
    for method in ("primary", "multitask", "learned"):
        assert method in ended.out
    said = " ".join(ended.out.split())
    assert "With 3 dialogs" in said
    assert "With 6 dialogs, the most compared, learned is" in said
    assert (tmp_path / "c" / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "c" / "pictures" / "weight-histograms.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "c" / "pictures" / "accuracy-by-size.svg").exists()
    rows = json.loads(cli("compare", *options, "--sizes", "3,6", "--json").out)["rows"]
    shown = [(row["method"], row["size"]) for row in rows if not row["method"].startswith("encoder")]
    assert shown == [
        (method, size) for size in (3, 6) for method in ("primary", "multitask", "learned", "tfidf", "tfidf-all")
    ]
    assert set(rows[2]) >= {"method", "size", "seeds", "mean", "sd", "minus_primary", "ci95", "ci95_bootstrap"}
    assert set(rows[2]["seeds"][0]) >= {"seed", "test_accuracy", "valid_accuracy", "seconds"}
    report = cli("report", tmp_path / "c" / "runs" / "learned-6-0", "--out", "run.html")
    assert report.out == "Wrote run.html\n"


def test_the_cost_of_a_learned_run_is_said_first_and_bounded(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    options = (*task_options(tasks_dir), "--set", "training.iterations=150", "--set", "training.evaluate_every=150")
    ended = cli("train", *options, "--out", "run", "--budget", "1000x")
    assert ended.code == 0, ended.err
    assert re.search(r"^cost: a run of learned costs about \d+\.\d times one of multitask, ", ended.err, re.MULTILINE)
    again = cli("train", *options, "--out", "run", "--budget", "1000x")
    assert (again.code, "cost: " in again.err) == (0, False)
    assert "--budget 1000x is not looked at: runs of learned were begun here with meta.every = 1, screen" in again.err
    for command, budget, message in (
        (("train",), "1s", "error: --budget 1s cannot be met: a run of learned costs at least "),
        (("train",), "soon", "error: --budget: found 'soon'; expected times a run of multitask, as 2x, or minutes"),
        (("train", "--method", "multitask"), "2x", "error: --budget bounds runs of learned, and there are none here"),
        (("compare", "--test", tasks_dir / "primary"), "0.5x", "error: --budget 0.5x cannot be met: "),
    ):
        long = ("--set", "training.iterations=20000") if budget == "1s" else ()
        refused = cli(*command, *options, *long, "--out", "new", "--budget", budget)
        assert refused.code == 2
        assert message in refused.err
        assert not (tmp_path / "new").exists()


def test_runs_that_a_budget_bounds_go_on_with_a_budget_alone(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    options = ("train", *task_options(tasks_dir), "--no-audit", "--out", "run")
    settings = ("training.iterations=60", "training.evaluate_every=60")
    given = [part for text in settings for part in ("--set", text)]
    assert cli(*options, *given, "--set", "meta.every=3").code == 0  # as a budget may have set it
    refused = cli(*options, *given)
    assert refused.code == 2
    assert "runs of learned were begun with meta.every = 3, as --budget sets it; give --budget again" in refused.err
    for budget in ("2x", "50x"):
        ended = cli(*options, *given, "--budget", budget)
        assert ended.code == 0, ended.err
        assert f"--budget {budget} is not looked at: runs of learned were begun here with meta.every = 3" in ended.err


def test_demo_runs_on_nothing_but_itself(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasksieve.experiments import demo

    monkeypatch.setattr(demo, "TRAIN_DIALOGS", 3)
    monkeypatch.setattr(demo, "VALID_DIALOGS", 2)
    monkeypatch.setattr(demo, "TEST_DIALOGS", 4)
    monkeypatch.setattr(demo, "OLD_DIALOGS", 1)
    training = {"iterations": 4, "evaluate_every": 2, "snapshot_every": 2, "related_batch_size": 8}
    monkeypatch.setattr(demo, "SETTINGS", {"training": training, "meta": {"warm_up": 0}})
    ended = cli("demo", "--out", "d", "--seeds", 2, "--workers", 1)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines[0].split(":")[0] in {"Borrow", "Do not borrow", "Undecided", "Equal"}
    begins = next(number for number, line in enumerate(lines) if line.startswith("The bot ("))
    table = next(number for number, line in enumerate(lines) if line.lstrip().startswith("method"))
    transcript = "\n".join(lines[begins + 1 : table])
    assert re.search(r"^  user  \S", transcript, re.MULTILINE)
    assert re.search(r"^   bot  \S", transcript, re.MULTILINE)
    assert re.search(r"^  tool  Customer: status ", transcript, re.MULTILINE)
    assert re.search(r"\[\w+[\w ]*\]", transcript)
    assert max(map(len, lines)) <= 80
    assert all(method in ended.out for method in ("primary", "multitask", "learned", "tfidf", "tfidf-all"))
    chat = next(line for line in lines if "tasksieve chat" in line).split()[-1]
    assert (tmp_path / chat / "result.json").exists()
    assert (tmp_path / "d" / "report.html").exists()
    again = cli("demo", "--out", "d", "--seeds", 2, "--workers", 1, "--json")
    assert json.loads(again.out)["verdict"].split()[0] == lines[0].split()[0]


def test_evaluate_counts_answers_with_values_of_somebody_else(
    cli: Cli, learned_run: Path, tasks_dir: Path, tmp_path: Path
) -> None:
    options = ("evaluate", learned_run, "--data", tasks_dir / "primary", "--split", "valid")
    record = json.loads(cli(*options, "--answers", "--json").out)
    assert set(record["answers"]) == {"answers", "foreign", "unanswered", "shown"}
    assert record["answers"]["answers"] + record["answers"]["unanswered"] == record["turns"]
    assert "answers" not in json.loads(cli(*options, "--json").out)
    assert f"{record['answers']['answers']} answers: " in cli(*options, "--answers", "--predictions", "p.jsonl").out
    rows = pl.read_ndjson(tmp_path / "p.jsonl")
    assert rows["answer"].null_count() == record["answers"]["unanswered"]
    assert rows.drop_nulls("answer")["certainty"].is_between(0, 1).all()


ERRORS = {
    "missing file": (["--primary", "none.txt"], "none.txt: no such file"),
    "unknown method": (["--method", "magic"], "unknown method 'magic'; known: "),
    "unknown key": (["--set", "training.speed=9"], "unknown key 'training.speed'"),
    "wrong value": (["--set", "training.iterations=-1"], "training.iterations: found -1"),
    "no assignment": (["--set", "iterations"], "expected section.key=value"),
    "too many dialogs": (["--size", "99"], "holds 6 dialogs; 99 were asked for"),
    "missing config": (["--config", "none.toml"], "none.toml: no such file"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_mistakes_end_in_one_sentence_and_code_2(cli: Cli, tasks_dir: Path, tmp_path: Path, name: str) -> None:
    extra, message = ERRORS[name]
    ended = cli("train", *task_options(tasks_dir), *extra, "--out", "run")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert ended.err.strip().splitlines()[-1].startswith("error: ")
    assert "Traceback" not in ended.err
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


def test_a_bad_line_is_named_with_its_place(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("1 hi\thello\n2 what is this\n")
    ended = cli("train", *task_options(tasks_dir), "--related", "bad.txt", "--out", "run")
    assert ended.code == 2
    assert "error: bad.txt:2: found 'what is this'; expected a turn" in ended.err
    sizes = cli("compare", *task_options(tasks_dir), "--test", tasks_dir / "primary", "--out", "c", "--sizes", "3,x")
    assert (sizes.code, sizes.err) == (2, "error: --sizes: found 'x'; expected numbers of dialogs, e.g. 50,100,150\n")


def test_a_config_file_is_taken_and_options_win(cli: Cli, tasks_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[training]\nmethod = 'joint'\niterations = 3\nevaluate_every = 3\nseed = 8\n")
    primary = tasks_dir / "primary"
    related = tasks_dir / "hotel"
    options = ("--primary", primary, "--valid", primary, "--related", related, "--config", "c.toml", "--json")
    ended = cli("train", *options, "--method", "multitask", "--seed", 2, "--out", "run")
    result = json.loads(ended.out)
    assert (result["method"], result["seed"], result["iterations"]) == ("multitask", 2, 3)
    kept = json.loads(cli("train", *options, "--out", "run2").out)
    assert (kept["method"], kept["seed"]) == ("joint", 8)


def test_the_configuration_of_a_run_is_all_that_another_needs(cli: Cli, learned_run: Path, tasks_dir: Path) -> None:
    again = cli("train", "--config", learned_run / "config.toml", "--out", "again", "--json")
    assert again.code == 0, again.err
    before = json.loads((learned_run / "result.json").read_text())
    assert json.loads(again.out) | {"seconds": 0} == before | {"seconds": 0}
    options = ("--config", learned_run, "--set", "training.iterations=4", "--out", "other", "--json")
    other = json.loads(cli("train", *options, "--method", "primary", "--size", 3).out)
    assert (other["method"], other["iterations"], other["size"]) == ("primary", 4, 3)
    config = Path("other") / "config.toml"
    single = ("--methods", "primary", "--seeds", 1, "--test", tasks_dir / "primary", "--out", "c", "--json")
    rows = json.loads(cli("compare", "--config", config, *single).out)["rows"]
    assert [(row["size"], row["seeds"][0]["iterations"]) for row in rows] == [(3, 4)]


def test_without_dialogs_the_options_that_name_them_are_asked_for(cli: Cli, tasks_dir: Path) -> None:
    ended = cli("train", "--primary", tasks_dir / "primary", "--out", "run")
    assert (ended.code, ended.err) == (
        2,
        "error: dialogs are missing: give --valid, or --split 60/20/20 to have them drawn from --primary, or "
        "--config with the config.toml of a run\n",
    )
    (Path("c.toml")).write_text("[training]\nseed = 1\n")
    ended = cli("compare", "--config", "c.toml", "--test", tasks_dir / "primary", "--out", "c")
    assert (ended.code, ended.err.startswith("error: c.toml: dialogs are missing: give --primary and --valid")) == (
        2,
        True,
    )


def test_reproduce_mnist_prints_table_1_and_writes_the_figures(cli: Cli, tmp_path: Path) -> None:
    quick = [f"--set=training.{s}" for s in ("iterations=8", "evaluate_every=4", "snapshot_every=2", "batch_size=64")]
    options = ("reproduce", "mnist", "--embedded", "--seeds", 1, "--workers", 1, *quick)
    ended = cli(*options, "--out", "t", "--condition-seeds", 1)
    assert ended.code == 0, ended.err
    assert "random-changing" in ended.out
    assert "21.6 ± 3.8" in ended.out
    assert max(len(line) for line in ended.out.splitlines() if "│" in line or "─" in line) <= 80
    for name in ("figure-1", "figure-3", "figure-4"):
        assert (tmp_path / "t" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert (tmp_path / "t" / f"{name}.svg").exists()
    rows = json.loads(cli(*options, "--out", "t", "--paper-only", "--json").out)["rows"]
    assert [row["paper_mean"] for row in rows] == [21.63, 20.81, 20.40, 87.86, 90.32]
    clean = cli(*options, "--out", "v", "--paper-only", "--share", 0)
    assert (clean.code, "AUROC –" in clean.out) == (0, True), clean.err
    neither = cli("reproduce", "mnist", "--out", "u")
    assert (neither.code, "give either --data FOLDER" in neither.err) == (2, True)
    missing = cli("reproduce", "mnist", "--data", tmp_path, "--out", "u")
    assert (missing.code, "tasksieve data fetch mnist" in missing.err) == (2, True)
    assert not (tmp_path / "u").exists()


def test_reproduce_archive_prints_the_board_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    write_archive(tmp_path / "archive")
    quick = [f"--set=training.{s}" for s in ("iterations=4", "evaluate_every=2", "batch_size=4")]
    options = ("reproduce", "archive", "--data", "archive", "--sizes", "2", "--workers", 1, "--out", "b", *quick)
    ended = cli(*options, "--primaries", "Boats_1", "--methods", "primary,multitask,oracle", "--seeds", 1)
    assert ended.code == 0, ended.err
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "actions, noisy: accuracy" in ended.out and "Wrote b/archive.json" in ended.out
    more = cli(*options, "--primaries", "Boats_1,Rooms_1", "--methods", "primary,multitask", "--seeds", 1, "--json")
    assert json.loads(more.out)["runs"] == {"done": 8, "all": 8}
    unknown = cli(*options, "--primaries", "Cars_1")
    assert (unknown.code, "the archive holds Boats_1, Rooms_1, Tables_1" in unknown.err) == (2, True)
