"""Related examples weighed or chosen before training: each way against its definition, computed plainly."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksieve.encoding import derived_generator
from tasksieve.errors import UserError
from tasksieve.images import ImageTask, embedded_digits
from tasksieve.records.config import RunConfig, changed
from tasksieve.records.run_folder import RunFolder
from tasksieve.training.methods import Start, method_named
from tasksieve.training.methods.discriminator import Discriminator
from tasksieve.training.methods.instance_weighting import InstanceWeighting, misleading
from tasksieve.training.methods.nearest_bm25 import NearestBm25
from tasksieve.training.methods.nearest_embedding import NearestEmbedding
from tasksieve.training.methods.random_half import RandomHalf
from tasksieve.training.methods.stratified import Stratified, equal_parts
from tasksieve.training.rivals.features import views_of
from tasksieve.training.rivals.fixed import FixedWeights, highest
from tasksieve.training.rivals.services import services_of
from tasksieve.training.rivals.short_training import model_of_primary
from tests.paper.starts import bags_of, start_of, tfidf_of
from tests.paper.test_rivals import Tasks
from tests.reading import World
from tests.small import small_config
from tests.unit.test_models import PRIMARY, RELATED


def nothing(_: int) -> None:
    pass


@pytest.fixture(scope="module")
def config(tasks_dir: Path) -> RunConfig:
    return small_config(tasks_dir, "restaurant", "hotel")


@pytest.fixture(scope="module", params=["apart", "pooled"])
def start(request: pytest.FixtureRequest, config: RunConfig) -> Start:
    """Two related services, each a task of its own, or drawn together."""
    return start_of(changed(config, {"training.related_batch_size": 8 if request.param == "pooled" else None}))


def filled(method: FixedWeights, start: Start, folder: Path) -> torch.Tensor:
    """The weights that a method gives all related examples, through its preparation."""
    folder.mkdir(parents=True, exist_ok=True)
    weighing = method.weighing(start)
    assert weighing.prepare is not None
    weighing.prepare.work(RunFolder(folder), nothing)
    batch = tuple(task.batch(torch.arange(len(task))) for task in start.tasks.related)
    return weighing.weighter.weights(batch, 0)


def test_the_two_services_are_told_apart_however_they_are_drawn(start: Start) -> None:
    expected = torch.tensor(start.examples["task"].to_list())
    assert torch.equal(services_of(start), expected)
    assert len(set(expected.tolist())) == 2


def test_a_random_half_is_half_whichever(start: Start, tmp_path: Path) -> None:
    weights = filled(RandomHalf(), start, tmp_path / "a")
    assert int((weights > 0).sum()) == round(len(weights) / 2)
    assert sorted(set(weights.tolist())) == pytest.approx([0.0, len(weights) / round(len(weights) / 2)])
    assert float(weights.mean()) == pytest.approx(1)
    other = replace(start, config=changed(start.config, {"training.seed": 1, "rivals.share": 0.25}))
    fewer = filled(RandomHalf(), other, tmp_path / "b")
    assert int((fewer > 0).sum()) == round(len(weights) / 4)
    both = ((weights > 0) & (fewer > 0)).double().mean()
    assert float(both) == pytest.approx(1 / 8, abs=0.05)  # the one says nothing of the other


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8), st.integers(0, 100))
def test_parts_are_as_equal_as_sizes_allow(sizes: list[int], total: int) -> None:
    parts = equal_parts(sizes, total)
    assert sum(parts) == min(total, sum(sizes))
    assert all(0 <= part <= size for part, size in zip(parts, sizes, strict=True))
    free = [part for part, size in zip(parts, sizes, strict=True) if part < size]
    if free:
        assert max(free) - min(free) <= 1
        assert max(parts) <= min(free) + 1


def test_a_stratified_half_has_as_many_of_each_service(start: Start, tmp_path: Path) -> None:
    weights = filled(Stratified(), start, tmp_path)
    services = services_of(start)
    kept = Counter(services[weights > 0].tolist())
    sizes = Counter(services.tolist())
    assert sum(kept.values()) == round(len(weights) / 2)
    fewest = min(sizes.values())
    if fewest >= sum(kept.values()) / 2:
        assert max(kept.values()) - min(kept.values()) <= 1
    else:
        assert min(kept.values()) == fewest


def test_bm25_is_its_formula(start: Start) -> None:
    def words(task: object) -> list[Counter[int]]:
        return [sum(views, Counter()) for views in bags_of(task, latest=2)]

    queries = words(start.tasks.primary)
    texts = [bag for task in start.tasks.related for bag in words(task)]
    lengths = [sum(bag.values()) for bag in texts]
    holders = Counter(word for bag in texts for word in bag)
    mean = sum(lengths) / len(texts)

    def of_word(word: int, bag: Counter[int], length: int) -> float:
        rare = math.log(1 + (len(texts) - holders[word] + 0.5) / (holders[word] + 0.5))
        return rare * bag[word] * 2.5 / (bag[word] + 1.5 * (1 - 0.75 + 0.75 * length / mean))

    expected = [
        max(sum(of_word(word, bag, length) for word in query if bag[word]) for query in queries)
        for bag, length in zip(texts, lengths, strict=True)
    ]
    found = NearestBm25().scores(start, nothing)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-9, atol=1e-9)


def test_nearest_by_words_is_the_cosine_with_the_nearest_primary_example(start: Start) -> None:
    tasks = [start.tasks.primary, *start.tasks.related]
    bags = [views for task in tasks for views in bags_of(task, latest=2)]
    size = start.tasks.primary.table.vocabulary_size
    rows = torch.cat([tfidf_of([views[place] for views in bags], size) for place in range(3)], dim=1)
    rows, primary = torch.nn.functional.normalize(rows), len(start.tasks.primary)
    expected = (rows[primary:] @ rows[:primary].T).max(dim=1).values
    torch.testing.assert_close(NearestEmbedding().scores(start, nothing), expected, rtol=1e-9, atol=1e-9)


def test_nearest_by_vectors_takes_utterance_response_and_what_was_before(start: Start) -> None:
    def embed(texts: list[str]) -> torch.Tensor:
        drawn = [
            torch.randn(6, generator=torch.Generator().manual_seed(len(t) * 7 + sum(map(ord, t)))) for t in texts
        ]
        return torch.stack([torch.zeros(6), *drawn])[1:]

    world = World({"primary": PRIMARY, "related-1": RELATED}, vectors=embed)
    primary, related = world.task(), world.task("related-1")
    found = NearestEmbedding().scores(replace(start, tasks=Tasks(primary, primary, (related,))), nothing)

    def rows(task: object) -> torch.Tensor:
        all_rows = []
        for number in range(len(task)):  # type: ignore[arg-type]
            batch = task.batch(torch.tensor([number]))  # type: ignore[attr-defined]
            vectors = batch.table.vectors.double()
            latest = [place for place in batch.memories[0].tolist() if place >= 0][:2]
            parts = [vectors[batch.utterances[0]], vectors[batch.responses[0]], vectors[latest].mean(dim=0)]
            all_rows.append(torch.cat([torch.nn.functional.normalize(part, dim=0) for part in parts]))
        return torch.nn.functional.normalize(torch.stack(all_rows))

    expected = (rows(related) @ rows(primary).T).max(dim=1).values
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_a_discriminator_gives_the_odds_of_a_balanced_logistic_regression(start: Start, tmp_path: Path) -> None:
    tasks = [start.tasks.primary, *start.tasks.related]
    bags = [views for task in tasks for views in bags_of(task)]
    size = start.tasks.primary.table.vocabulary_size
    rows = torch.cat([tfidf_of([views[place] for views in bags], size) for place in range(3)], dim=1)
    torch.testing.assert_close(torch.from_numpy(views_of(tasks).features().toarray()), rows)
    labels = (torch.arange(len(rows)) < len(start.tasks.primary)).double()
    counts = torch.where(labels == 1, len(rows) / 2 / labels.sum(), len(rows) / 2 / (1 - labels).sum())
    weight = torch.zeros(rows.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=2000, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        logits = rows @ weight[:-1] + weight[-1]
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        total = counts @ each + weight[:-1] @ weight[:-1] / 2
        total.backward()
        return total

    solver.step(loss)
    odds = (rows @ weight.detach()[:-1] + weight.detach()[-1]).exp()[len(start.tasks.primary) :]
    found = filled(Discriminator(), start, tmp_path)
    torch.testing.assert_close(found, (odds / odds.mean()).float(), rtol=1e-3, atol=1e-4)
    assert float(found.mean()) == pytest.approx(1, rel=1e-5)


def test_methods_that_read_words_say_so_of_examples_without() -> None:
    images = ImageTask(embedded_digits()["valid"])
    with pytest.raises(UserError, match="this method reads words, and the examples have none"):
        views_of([images])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=12), st.integers(0, 12))
def test_those_predicted_wrongly_most_surely_go(examples: list[tuple[bool, int]], most: int) -> None:
    right = torch.tensor([one for one, _ in examples])
    confidence = torch.tensor([float(one) for _, one in examples])
    dropped = misleading(right, confidence, most)
    wrong = sorted((-c, place) for place, (ok, c) in enumerate(examples) if not ok)
    assert torch.nonzero(dropped).flatten().tolist() == sorted(place for _, place in wrong[:most])


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_instance_weighting_drops_what_a_model_of_the_primary_task_gets_wrong(
    start: Start, tmp_path: Path, factor: float
) -> None:
    config = changed(start.config, {"rivals.primary_factor": factor, "rivals.share": 0.7})
    begun = replace(start, config=config)
    found = filled(InstanceWeighting(), begun, tmp_path)
    torch.manual_seed(derived_generator(config.training.seed, 12).initial_seed())
    model = model_of_primary(begun, nothing).eval()
    sure, wrong = [], []
    for task in start.tasks.related:
        for number in range(len(task)):
            with torch.no_grad():
                scores, target = model.responses(task.batch(torch.tensor([number])))  # type: ignore[operator]
            chances = torch.softmax(scores[0], dim=0)
            sure.append(float(chances.max()))
            if int(chances.argmax()) != int(target[0]):
                wrong.append(sure[-1])
    dropped = min(len(wrong), round(0.3 * len(sure)))
    assert 0 < dropped < len(sure)
    assert int((found == 0).sum()) == dropped
    assert float(found.max()) == pytest.approx(len(sure) / (len(sure) - dropped) / factor, rel=1e-5)
    gone = torch.tensor(sure)[found == 0]
    torch.testing.assert_close(gone.sort().values, torch.tensor(sorted(wrong)[-dropped:]), rtol=1e-4, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=12), st.floats(0.01, 1))
def test_the_highest_are_a_share_of_those_that_can_be_learned_from(
    examples: list[tuple[int, bool]], share: float
) -> None:
    able = torch.tensor([one for _, one in examples])
    kept = highest(torch.tensor([float(score) for score, _ in examples]), able, share)
    order = sorted((-score, place) for place, (score, ok) in enumerate(examples) if ok)
    expected = sorted(place for _, place in order[: max(1, round(share * len(order)))])
    assert torch.nonzero(kept).flatten().tolist() == expected


@pytest.mark.parametrize("name", ["random-half", "less", "nearest-bm25", "rho-loss", "stratified"])
def test_selections_draw_so_many_more_that_a_batch_is_kept(config: RunConfig, name: str) -> None:
    method = method_named(name)
    assert method.drawn(config) == 16
    assert method.drawn(changed(config, {"rivals.share": 0.1, "training.related_batch_size": 20})) == 200
    assert method_named("discriminator").drawn(config) is None
