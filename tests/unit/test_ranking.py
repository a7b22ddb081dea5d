"""The model that ranks responses: against its formulas pair by pair, and what must not matter to it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from tasksieve.dialogs import Dialog, Record, Turn
from tasksieve.encoding import Batch, Candidates, Choices, EncodedTask, Reader, Reading, SentenceTable, Vocabulary
from tasksieve.encoding.drawn import drawn_choices
from tasksieve.encoding.phrases import bag_of
from tasksieve.encoding.terms import is_number, terms_of
from tasksieve.encoding.vocabulary import SYSTEM_NUMBER, USER_NUMBER
from tasksieve.models.matching.overlap import SCALE
from tasksieve.models.matching.ranking import Ranking
from tasksieve.records.model_config import Facts, RankingConfig
from tests.acting import DIM, embed

TRIPS = [
    Record.of("trip", {"fare": "3900", "leaving": "18:30", "day": "2019-03-08", "name": "Blue Line"}),
    Record.of("trip", {"fare": "24", "leaving": "06:00", "day": "2019-03-09", "name": "Red Line"}),
]
DIALOGS = [
    Dialog(
        (
            Turn("A bus to Rome, please.", "On which day?"),
            *TRIPS,
            Turn("March 8th", "Blue Line leaves at 6:30 pm for $3,900."),
            Turn("And what else?", "Red Line leaves at 6 am, it is $24."),
            Turn("Fine, two of them", "Have a good trip, you have 2 seats"),
        )
    ),
    Dialog((TRIPS[1], Turn("hello", "There is one bus at 6 am"), Turn("thanks", "Goodbye!"))),
    Dialog((Turn("hi", "hello , what can i do"), Turn("nothing", "goodbye"), Turn("ok", "Take care 77 !"))),
]


class World:
    """Those dialogs, read as they were written."""

    def __init__(self, facts: Facts = "all", *, dense: bool = True, among: int = 4) -> None:
        self.vectors = embed if dense else None
        self.readings: list[Reading] = Reader(facts, written=True).read(DIALOGS)
        self.vocabulary = Vocabulary.of(self.readings)
        said = [turn.said.system for reading in self.readings for turn in reading.learned]
        self.texts = said
        self.candidates = Candidates(said, self.vocabulary, vectors=self.vectors)
        self.task = EncodedTask(
            self.readings, self.vocabulary, self.candidates, vectors=self.vectors, among=among, tasks=[0, 0, 1]
        )

    def batch(self) -> Batch:
        """All examples."""
        return self.task.batch(torch.arange(len(self.task)))

    def model(self, **settings: Any) -> Ranking:
        """A small model in float64 of which nothing is 0."""
        config = RankingConfig.model_validate({"hidden": 4, "overlap_hidden": 3, "dropout": 0.0, **settings})
        generator = torch.Generator().manual_seed(0)
        heads = {"primary": self.candidates}
        model = Ranking.build(config, len(self.vocabulary), heads, generator).double()
        with torch.no_grad():
            for value in model.parameters():
                value += 0.2 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        return model


@pytest.fixture(params=[("all", True), ("all", False), ("needed", True)], ids=str)
def world(request: pytest.FixtureRequest) -> World:
    facts, dense = request.param
    return World(facts, dense=dense)


class Plain:
    """The model as its formulas read, one pair of a context and a response at a time."""

    def __init__(self, model: Ranking, world: World) -> None:
        self.p = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        self.model, self.words = model, world.vocabulary.words
        tables = [set(self.terms(world.candidates.table, n)) for n in range(len(world.candidates))]
        count = len(tables)
        self.having = {term: sum(term in bag for bag in tables) for bag in tables for term in bag}
        self.count = count

    def terms(self, table: SentenceTable, number: int) -> list[str]:
        """The terms of a sentence."""
        return [term for word in self.words_of(table, number) for term in terms_of(word)]

    def words_of(self, table: SentenceTable, number: int) -> list[str]:
        return [self.words[n] for n in table.words[table.offsets[number] : table.offsets[number + 1]].tolist()]

    def idf(self, term: str) -> float:
        having = self.having.get(term, 0)
        return math.log1p((self.count - having + 0.5) / (having + 0.5)) / math.log(1 + self.count / 0.5)

    def sources(self, batch: Batch, row: int) -> dict[str, list[int]]:
        """The sentences of each source of an example."""
        numbers = [n for n in batch.memories[row].tolist() if n >= 0]
        leads = [(self.words_of(batch.table, n) or [""])[0] for n in numbers]
        said = [place for place, lead in enumerate(leads) if lead in ("<user>", "<system>")]
        system = [place for place in said if leads[place] == "<system>"][:1]
        facts = [place for place, lead in enumerate(leads) if lead not in ("", "<user>", "<system>", "<result>")]
        newest, oldest = (said[0], said[-1]) if said else (len(leads), -1)
        come = [p for p in facts if p < newest or ("<result>" in leads and p > oldest)]
        of = {
            "system": system,
            "earlier": [place for place in said if place not in system],
            "come": come,
            "known": [place for place in facts if place not in come],
        }
        return {"user": [int(batch.utterances[row])], **{k: [numbers[p] for p in v] for k, v in of.items()}}

    def features(self, batch: Batch, row: int, choices: Choices, number: int) -> Tensor:
        """What a response has in common with a context."""
        sources = self.sources(batch, row)
        have = {name: {t for n in found for t in self.terms(batch.table, n)} for name, found in sources.items()}
        said = have["user"] | have["system"] | have["earlier"]
        known = have["known"] - have["come"]
        every = said | have["come"] | have["known"]
        sets = [have["user"], have["system"], have["earlier"], have["come"] - said, have["come"] & said]
        sets += [known - said, known & said, every]
        terms = self.terms(choices.table, number)
        total = sum(map(self.idf, terms))
        found = [sum(self.idf(t) for t in terms if t in one) for one in sets]
        numbers = [sum(is_number(t) for t in terms if t in one) for one in sets]
        rare = [t for t in terms if self.having.get(t, 0) < 3 and not is_number(t) and t not in every]
        nowhere = [t for t in terms if is_number(t) and t not in every]
        parts = [[f / (total + 0.3) for f in found], [f / 3 for f in found], [n / 3 for n in numbers]]
        last = [sum(map(self.idf, rare)), len(nowhere) / 2, len(terms) / 20, sum(map(is_number, terms)) / 3]
        return SCALE * torch.tensor([*parts[0], *parts[1], *parts[2], *last], dtype=torch.float64)

    def score(self, batch: Batch, row: int, choices: Choices, number: int) -> Tensor:
        """The score of a response."""
        p, config, sources = self.p, self.model.config, self.sources(batch, row)
        said, come = len(sources["system"]) + len(sources["earlier"]), len(sources["come"])
        flags = [come > 0, len(sources["known"]) > 0, said == 0, said / 10, min(come, 50) / 50]
        seen = torch.tensor([float(flag) for flag in flags], dtype=torch.float64)
        z = seen.new_zeros(0)
        if batch.table.vectors is not None:
            rows = batch.table.vectors.double()
            means = [rows[sources[k]].mean(0) if sources[k] else 0 * rows[0] for k in ("user", "system", "earlier")]
            z = torch.cat(means)
        hidden = torch.tanh(torch.cat([config.vector_scale * z, seen]) @ p["inward"] + p["inward_bias"])
        features = self.features(batch, row, choices, number)
        gate = hidden @ p["of_context"] + p["overlap_bias"]
        score = features @ p["linear"] + torch.tanh(features @ p["of_overlap"] + gate) @ p["last"]
        if choices.table.vectors is not None:
            near = z[:DIM] + z[DIM : 2 * DIM] / 2 + z @ p["map"] + hidden @ p["outward"]
            context = config.sharpness * p["sharper"].exp() * near + p["response"]
            score = score + context @ choices.table.vectors[number].double()
        return score


def test_scores_and_gradients_are_what_the_formulas_say(world: World) -> None:
    model, batch = world.model(), world.batch()
    plain, parameters = Plain(model, world), dict(model.named_parameters())
    every = world.candidates.choices(torch.full((len(batch),), -1))
    for choices, scores in zip((batch.choices, every), model.scores(batch, batch.choices, every), strict=True):
        lists = [list(range(len(every.table)))] * len(batch)
        if choices.offered is not None:
            ends = choices.offered.offsets.tolist()
            lists = [choices.offered.words[a:b].tolist() for a, b in pairwise(ends)]
        for row, numbers in enumerate(lists):
            expected = torch.stack([plain.score(batch, row, choices, number) for number in numbers])
            torch.testing.assert_close(scores[row, : len(numbers)], expected, rtol=1e-6, atol=1e-6)
            assert bool((scores[row, len(numbers) :] == -torch.inf).all())
            torch.testing.assert_close(
                torch.autograd.grad(scores[row, 0], list(parameters.values()), retain_graph=True, allow_unused=True),
                torch.autograd.grad(expected[0], list(parameters.values()), allow_unused=True),
                rtol=1e-6,
                atol=1e-6,
            )


def test_what_is_kept_with_a_batch_depends_on_no_parameter(world: World) -> None:
    model, batch = world.model(), world.task.batch(torch.arange(len(world.task)))
    before = model.losses(batch)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(1.5)
    fresh = world.task.batch(torch.arange(len(world.task)))
    torch.testing.assert_close(model.losses(batch), model.losses(fresh), rtol=0, atol=0)
    assert not torch.allclose(before, model.losses(batch))
    other = world.model(hidden=3)
    torch.testing.assert_close(other.losses(batch), other.losses(fresh), rtol=0, atol=0)


def test_the_gradient_is_that_of_finite_differences_and_twice_differentiable(world: World) -> None:
    model, batch = world.model(), world.batch()
    names = [name for name, value in model.named_parameters() if value.numel()]
    values = [value.detach().requires_grad_() for value in model.parameters() if value.numel()]

    def loss(*given: Tensor) -> Tensor:
        return model.losses_at(dict(zip(names, given, strict=True)), batch).mean()

    directions = [torch.randn(value.shape, dtype=torch.float64) for value in values]
    step = 1e-5
    ahead, behind = (loss(*(v + s * d for v, d in zip(values, directions, strict=True))) for s in (step, -step))
    found = torch.autograd.grad(loss(*values), values, create_graph=True, allow_unused=True, materialize_grads=True)
    slope = sum((g * d).sum() for g, d in zip(found, directions, strict=True))
    torch.testing.assert_close(slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-8)
    second = torch.autograd.grad(slope, values, allow_unused=True)  # type: ignore[arg-type]
    assert all(bool(part.isfinite().all()) for part in second if part is not None)


def test_neither_the_order_of_examples_nor_that_of_choices_matters(world: World) -> None:
    model, batch = world.model(), world.batch()
    (scores,) = model.scores(batch, batch.choices)
    order = torch.randperm(len(world.task), generator=torch.Generator().manual_seed(3))
    other = world.task.batch(order)
    torch.testing.assert_close(model.scores(other, other.choices)[0], scores[order])
    offered = batch.choices.offered
    assert offered is not None
    rows = [part.flip(0).tolist() for part in torch.split(offered.words, offered.lengths.tolist())]
    turned = Choices(batch.choices.table, batch.choices.right, SentenceTable.of(rows, len(batch.choices.table)))
    (back,) = model.scores(batch, turned)
    for row, count in enumerate(offered.lengths.tolist()):
        torch.testing.assert_close(back[row, :count].flip(0), scores[row, :count])


def test_twins_and_texts_without_words_have_the_same_score() -> None:
    world = World(dense=False)
    model, batch = world.model(), world.batch()
    bags = [world.vocabulary.numbers(text)[0] for text in ("goodbye", "Goodbye", "unheard", "")]
    table = SentenceTable.of(bags, len(world.vocabulary))
    (scores,) = model.scores(batch, Choices(table, torch.zeros(len(batch), dtype=torch.long)))
    torch.testing.assert_close(scores[:, 0], scores[:, 1])
    torch.testing.assert_close(scores[:, 2], scores[:, 3])


def test_values_are_the_same_in_records_and_in_sentences() -> None:
    world = World(dense=False)
    plain = Plain(world.model(), world)
    batch = world.batch()
    terms = {t for n in plain.sources(batch, 1)["come"] for t in plain.terms(batch.table, n)}
    response = [t for word in world.texts[1].lower().split() for t in terms_of(word)]
    assert {"6:30", "3900", "blue", "line"} == {t for t in response if t in terms} - {"at"}
    assert terms_of("p.m.") == ("pm",)


def test_each_example_is_told_from_others_of_its_own_task_as_they_were_said() -> None:
    said = ["one", "two .", "Two", "three", "four", "one"]
    tasks = [0, 0, 0, 0, 1, 1]
    vocabulary = Vocabulary(["one", "two", "three", "four", "."])
    choices = drawn_choices(said, tasks, 3, vocabulary)
    again = drawn_choices(said, tasks, 3, vocabulary)
    assert choices.offered is not None and again.offered is not None
    assert choices.offered.words.tolist() == again.offered.words.tolist()
    assert choices.right.tolist() == [0] * len(said)
    texts = ["one", "two .", "three", "four", "one"]
    rows = [part.tolist() for part in torch.split(choices.offered.words, choices.offered.lengths.tolist())]
    for text, task, row in zip(said, tasks, rows, strict=True):
        assert bag_of(texts[row[0]]) == bag_of(text)
        assert len(row) == len(set(row)) == (3 if task == 0 else 2)
        assert all((number < 3) == (task == 0) for number in row)


def test_what_leads_memories_is_known_by_its_number() -> None:
    world = World("needed")
    assert (USER_NUMBER, SYSTEM_NUMBER) == (0, 1)
    assert world.model().result == world.vocabulary.words.index("<result>")
