"""What may fill a gap: values of such a field of such a kind of record as filled it in training, or the user's words.

A gap is called after a field, and what only one entity has is ``<entity>``; so a name alone does not tell a price
from an address. Its type does. It is kept by the template in which the gap stands, beside what models learn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasksieve.encoding.calls import is_call
from tasksieve.encoding.number_form import NumberForm
from tasksieve.encoding.sources import Field, Source
from tasksieve.encoding.values import KINDS, Kind

_FEWEST = 2
"""Values that stood in what the system said last show that it says them again."""
_ALWAYS = 3
"""Values that records held, and nothing else would have been needed."""
_ALL, _NONE = "all", "none"
_DIGIT = re.compile(r"\d")
_WORDS: frozenset[Kind] = frozenset(("name", "text"))
_OTHERS: frozenset[Kind] = frozenset(("date", "time", "email"))
"""Forms that are never written as a plain number."""


@dataclass(frozen=True, slots=True)
class GapType:
    """What may fill a gap.

    Attributes:
        fields: of records whose values filled it.
        against: fields of the same name in records of other kinds, which said something else.
        said: whether the user's words filled it.
        form: what they looked like where they were numbers; None where they were none.
        called: the tool and the name of its argument, where it was always what the call just before was made with,
            and no record held it.
        echoed: whether it always stood in what the system had said last.
        kinds: of what forms the user's words were; none in runs of older versions.
        spoken: whether the user always said it, and never a profile or note alone; these do not fill it then.
        digits: whether the names and words that the user said all had a digit, as addresses have, or none had one;
            empty if some had, or in runs of older versions.
    """

    fields: tuple[Field, ...] = ()
    against: tuple[Field, ...] = ()
    said: bool = False
    form: NumberForm | None = None
    called: tuple[tuple[str, str], ...] = ()
    echoed: bool = False
    kinds: tuple[Kind, ...] = ()
    spoken: bool = False
    digits: str = ""

    @classmethod
    def of(cls, sources: Sequence[Source], *, call: bool = False) -> GapType:
        """What the values of one gap in training tell.

        A value that a record holds may be the user's all the same; but not in a response where one held it each time.

        Args:
            sources: of the values; at least one.
            call: whether the gap stands in the call of a tool.
        """
        fields = _fewest_of([source.fields for source in sources if source.fields])
        against = {other for source in sources for other in source.others} - set(fields)
        numbers = [source.heard for source in sources if source.heard and source.kind == "number"]
        called = frozenset[tuple[str, str]]() if fields else frozenset.intersection(*(s.called for s in sources))
        recorded = len(sources) >= _ALWAYS and all(source.fields for source in sources)
        said = any(source.heard for source in sources) and (call or not recorded)
        return cls(
            fields,
            tuple(sorted(against)),
            said,
            NumberForm.of(numbers) if said and numbers else None,
            tuple(sorted(called)),
            len(sources) >= _FEWEST and all(source.echoed for source in sources),
            tuple(sorted({source.kind for source in sources if source.heard})) if said else (),
            said and all(source.spoken for source in sources if source.heard),
            _digits_of([source.heard for source in sources if source.heard and source.kind in _WORDS])
            if said
            else "",
        )

    def rank(self, kind: str, path: str) -> int:
        """How well a field of a kind of record is known to fill the gap.

        Returns: 2 if it did in training, 1 if one of the same name did and nothing speaks against this one, else 0.
        """
        if (kind, path) in self.fields:
            return 2
        return int((kind, path) not in self.against and any(path == known for _, known in self.fields))

    def takes(self, text: str, kind: Kind, *, spoken: bool = True) -> bool:
        """Whether a value may fill the gap that no record holds; a number that looks like those in training.

        Where there were no numbers, one may take the place of words, as ``12`` of "twelve", but not of dates alone.

        Args:
            text, kind: of the value.
            spoken: whether the user said it, and not the profile or a note.
        """
        if (self.spoken and not spoken) or (kind in _WORDS and self.digits not in ("", _digits_of([text]))):
            return False
        if kind != "number" or not self.said:
            return self.said
        return not self.kinds or not _OTHERS.issuperset(self.kinds) if self.form is None else self.form.fits(text)

    def plain(self) -> dict[str, Any]:
        """As JSON has it, without what says nothing; :meth:`read` takes it back."""
        form = None if self.form is None else self.form.plain()
        tables = {name: [list(pair) for pair in getattr(self, name)] for name in _TABLES}
        found: dict[str, Any] = {**tables, "said": self.said, "form": form, "echoed": self.echoed}
        found |= {"kinds": list(self.kinds), "spoken": self.spoken, "digits": self.digits}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def read(cls, value: Any) -> GapType:
        """What :meth:`plain` gave. Raises: ValueError, TypeError, KeyError: if it is something else."""
        tables = {name: tuple((str(a), str(b)) for a, b in value.get(name, ())) for name in _TABLES}
        form = None if value.get("form") is None else _form_of(value["form"])
        kinds = tuple(value.get("kinds", ()))
        if not set(kinds) <= set(KINDS):
            raise ValueError
        said, echoed, spoken = (value.get(name) is True for name in ("said", "echoed", "spoken"))
        digits = str(value.get("digits", ""))
        return cls(**tables, form=form, said=said, echoed=echoed, kinds=kinds, spoken=spoken, digits=digits)


def _form_of(value: Any) -> NumberForm:
    """As it is kept; in runs of older versions as digits, start and whether there are points between digits."""
    if not isinstance(value, list):
        return NumberForm.read(value)
    least, most, start, signed = value
    return NumberForm(int(least), int(most), str(start), "," * (signed is True))


_TABLES = ("fields", "against", "called")
UNTYPED: Mapping[str, GapType] = {}
"""Of a template whose gaps anything fills that is called as they are: all in runs of older versions."""


@dataclass(frozen=True, slots=True)
class GapTypes:
    """The types of all gaps, by template and placeholder."""

    types: Mapping[str, Mapping[str, GapType]] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(frozenset(self.types))

    @classmethod
    def of(cls, sources: Iterable[tuple[str, str, Source]]) -> GapTypes:
        """What filled the gaps in training: a template, a placeholder in it and a source each."""
        found: dict[str, dict[str, list[Source]]] = {}
        for template, mark, source in sources:
            if source.fields or source.heard:
                found.setdefault(template, {}).setdefault(mark, []).append(source)
        return cls(
            {
                text: {mark: GapType.of(of, call=is_call(text)) for mark, of in marks.items()}
                for text, marks in found.items()
            }
        )

    def of_template(self, template: str) -> Mapping[str, GapType]:
        """The types of a template's gaps, as far as they are known."""
        return self.types.get(template, UNTYPED)

    def plain(self) -> dict[str, Any]:
        """As JSON has it; :meth:`read` takes it back."""
        return {text: {mark: of.plain() for mark, of in marks.items()} for text, marks in sorted(self.types.items())}

    @classmethod
    def read(cls, value: object) -> GapTypes:
        """What :meth:`plain` gave. Raises: ValueError: if it is something else."""
        try:
            return cls(
                {
                    str(text): {str(mark): GapType.read(of) for mark, of in marks.items()}
                    for text, marks in value.items()  # type: ignore[attr-defined]
                }
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"types: found {str(value)[:80]}; expected gaps by template") from None


def _digits_of(texts: Sequence[str]) -> str:
    """Whether all of some texts have a digit, or none; empty if only some have, or there is no text."""
    having = {bool(_DIGIT.search(text)) for text in texts}
    return (_ALL if having.pop() else _NONE) if len(having) == 1 else ""


def _fewest_of(fields: Sequence[frozenset[Field]]) -> tuple[Field, ...]:
    """So few fields that one of them had the value each time, those first that had it most often.

    What had it by chance, as two dates may be one day, is none of them.
    """
    often = Counter(one for of_value in fields for one in of_value)
    found: list[Field] = []
    left = list(fields)
    while left:
        now = Counter(one for of_value in left for one in of_value)
        best = min(now, key=lambda one: (-now[one], -often[one], one))
        found.append(best)
        left = [of_value for of_value in left if best not in of_value]
    return tuple(sorted(found))
