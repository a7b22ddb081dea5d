"""What the browsing API answers, made from the examples and their weights."""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel, Field

from tasksieve.errors import UserError
from tasksieve.serve.examples import Examples, Numbers, Rows, order_keys
from tasksieve.serve.selection import Page

BINS = 20


class KindView(BaseModel):
    """A kind of turn."""

    kind: str
    examples: int
    weight: float | None = Field(description="the mean")
    course: list[float | None]


class Overview(BaseModel):
    """All related examples of the run."""

    steps: list[int] = Field(description="every recorded iteration")
    step: int
    examples: int
    dialogs: int
    tasks: int
    services: list[str] = Field(
        description="the names of the related tasks by their number; 'Task 0' and so on before the run has ended"
    )
    weight: float | None = Field(description="the mean at this iteration")
    histogram: list[int] = Field(description="how many weights lie in each twentieth of 0 to 1")
    course_steps: list[int] = Field(description="the iterations that a course has a number for")
    course: list[float | None] = Field(description="the mean over training")
    kinds: list[KindView] = Field(description="highest first")


class ExampleView(BaseModel):
    """A related example: a turn with its weight."""

    example: int
    task: int
    dialog: int
    turn: int
    kind: str
    user: str
    system: str
    weight: float | None
    course: list[float | None] = Field(description="the weight over training, at the course_steps of the overview")


class ExamplePage(BaseModel):
    """Some of the examples selected."""

    step: int
    total: int = Field(description="how many are selected")
    weight: float | None = Field(description="their mean")
    items: list[ExampleView]


class DialogBrief(BaseModel):
    """A related dialog in a list."""

    task: int
    dialog: int
    turns: int
    selected: int = Field(description="how many of its turns are selected")
    weight: float | None = Field(description="the mean over all its turns")
    opening: str = Field(description="what the user says first")
    course: list[float | None]


class DialogPage(BaseModel):
    """Some of the dialogs with a turn selected."""

    step: int
    total: int
    items: list[DialogBrief]


class DialogView(BaseModel):
    """A related dialog."""

    step: int
    steps: list[int]
    course_steps: list[int]
    task: int
    service: str = Field(description="the name of the related task; empty if the run has only one")
    dialog: int
    weight: float | None
    turns: list[ExampleView]
    before: tuple[int, int] | None = Field(description="task and number of the dialog before")
    after: tuple[int, int] | None


def overview(found: Examples, step: int | None) -> Overview:
    """The weights at a recorded iteration in brief."""
    place, courses = found.place(step), found.course_places()
    sizes = found.kind_sizes
    kinds = [
        KindView(
            kind=kind,
            examples=sizes[number],
            weight=_number(found.kind_means[place, number]),
            course=_numbers(found.kind_means[courses, number]),
        )
        for number, kind in enumerate(found.kinds)
    ]
    return Overview(
        steps=list(found.steps),
        step=found.steps[place],
        examples=len(found),
        dialogs=len(found.places),
        tasks=found.tasks,
        services=list(found.services),
        weight=_number(found.means[place]),
        histogram=found.histogram(place, BINS),
        course_steps=[found.steps[row] for row in courses],
        course=_numbers(found.means[courses]),
        kinds=sorted(kinds, key=lambda kind: (-(kind.weight or 0.0), kind.kind)),
    )


def example_page(found: Examples, page: Page) -> ExamplePage:
    """The page of examples asked for."""
    place, rows = found.place(page.step), found.select(page)
    return ExamplePage(
        step=found.steps[place],
        total=len(rows),
        weight=_mean(found.weights[place] if len(rows) == len(found) else found.weights[place, rows]),
        items=_examples(found, rows[page.offset : page.offset + page.limit], place),
    )


def one_example(found: Examples, example: int, step: int | None) -> ExampleView:
    """The example with this number. Raises: UserError: if there is none."""
    place = found.place(step)
    rows = np.flatnonzero(found.column("example") == example)
    if not len(rows):
        raise UserError(f"there is no related example {example}; they are numbered from 0 to {len(found) - 1}")
    return _examples(found, rows[:1], place)[0]


def dialog_page(found: Examples, page: Page) -> DialogPage:
    """The page of dialogs asked for, by the mean weight of their turns."""
    place, rows = found.place(page.step), found.select(page)
    selected = np.bincount(found.dialog_numbers[rows], minlength=len(found.places))
    numbers = np.flatnonzero(selected)
    if page.order != "dialog":
        means = found.dialog_means
        keys = order_keys(page.order, means[place, numbers], means[0, numbers])
        numbers = numbers[np.argsort(keys, kind="stable")]
    shown = numbers[page.offset : page.offset + page.limit]
    return DialogPage(
        step=found.steps[place],
        total=len(numbers),
        items=[_brief(found, int(number), int(selected[number]), place) for number in shown],
    )


def one_dialog(found: Examples, task: int, dialog: int, step: int | None) -> DialogView:
    """A dialog with all its turns. Raises: UserError: if there is none with these numbers."""
    place = found.place(step)
    if (task, dialog) not in found.place_of:
        raise UserError(f"there is no related dialog {dialog} in task {task}; `/api/dialogs` lists them")
    number = found.place_of[task, dialog]
    rows = found.turns_of(number)
    return DialogView(
        step=found.steps[place],
        steps=list(found.steps),
        course_steps=[found.steps[row] for row in found.course_places()],
        task=task,
        service=found.services[task] if found.tasks > 1 else "",
        dialog=dialog,
        weight=_mean(found.weights[place, rows]),
        turns=_examples(found, rows, place),
        before=_neighbour(found, number - 1),
        after=_neighbour(found, number + 1),
    )


def _neighbour(found: Examples, number: int) -> tuple[int, int] | None:
    return found.places[number] if 0 <= number < len(found.places) else None


def _brief(found: Examples, number: int, selected: int, place: int) -> DialogBrief:
    rows, (task, dialog) = found.turns_of(number), found.places[number]
    return DialogBrief(
        task=task,
        dialog=dialog,
        turns=len(rows),
        selected=selected,
        weight=_number(found.dialog_means[place, number]),
        opening=found.frame["user"][int(rows[0])],
        course=_numbers(found.dialog_means[found.course_places(), number]),
    )


def _examples(found: Examples, rows: Rows, place: int) -> list[ExampleView]:
    courses = found.weights[np.ix_(found.course_places(), rows)].T
    texts = found.frame[rows].to_dicts()
    now = found.weights[place, rows].tolist()
    return [
        ExampleView(**text, weight=_number(weight), course=_numbers(course))
        for text, weight, course in zip(texts, now, courses, strict=True)
    ]


def _mean(weights: Numbers) -> float | None:
    known = weights[~np.isnan(weights)]
    return _number(float(known.mean(dtype=np.float64))) if len(known) else None


def _numbers(weights: Numbers) -> list[float | None]:
    rounded = weights.astype(np.float64).round(4).tolist()
    return [None if weight != weight else weight for weight in rounded]


def _number(weight: float) -> float | None:
    return None if math.isnan(weight) else round(float(weight), 4)
