"""German dialogs: nouns are no names, dates and corrections are understood, and older desks tell values."""

from __future__ import annotations

from datetime import date

import pytest

from tasksieve.dialogs import Act, Dialog, Note, Turn
from tasksieve.dialogs.formats.speakers import speaker_named
from tasksieve.encoding import Held, KnownEntities, Names, Reader, slots_of
from tasksieve.encoding.days import day_meant, days_from_today, todays_in
from tasksieve.encoding.slots import Slots
from tasksieve.encoding.spoken_names import names_in
from tasksieve.encoding.taken_back import taken_back
from tasksieve.encoding.values import values_in
from tasksieve.encoding.wordings import Wordings, wordings_of

NOTE = "Du hilfst im Fundbüro der Verkehrsbetriebe Lindenstadt. Heute ist Donnerstag, der {}."
TODAY = todays_in("Heute ist der 26.03.2026.")


def desk(today: str, lost: str, call: str, name: str, on: str, pickup: str, address: str = "") -> Dialog:
    """A dialog in which something is looked for, then fetched."""
    item = f"FU-1{today[:2]}{today[3:5]}"
    ask = "An welchem Tag möchten Sie den Gegenstand abholen?"
    day = f"{pickup[8:]}.{pickup[5:7]}.{pickup[:4]}"
    confirm = f"Ich merke das für {name} zur Abholung am {day} vor. Ist das richtig?"
    sent = f', "address": "{address}"' if address else ""
    return Dialog(
        (
            Note(NOTE.format(today)),
            Turn("Guten Tag", "In welcher Linie oder an welcher Haltestelle?", acts=(Act("ask_line"),)),
            Turn(lost, f"api_call search {call}", acts=(Act("search"),)),
            Turn("ja", "Auf welchen Namen?", acts=(Act("ask_name"),)),
            Turn(name, "Und Ihre Anschrift?", acts=(Act("ask_address"),)),
            Turn(address, ask, acts=(Act("ask_pickup"),)),
            Turn(on, confirm, acts=(Act("confirm"),)),
            Turn(
                "ja",
                f'api_call reserve {{"name": "{name}", "date": "{pickup}"{sent}}}',
                acts=(Act("reserve"),),
            ),
            Turn("danke", f"Vorgemerkt unter {item}. Auf Wiedersehen!", acts=(Act("bye"),)),
        )
    )


OWN = [
    desk(
        "03.03.2026",
        "gestern in der Linie 7 mein Schirm, schwarz",
        '{"color": "schwarz", "line": "7", "date": "2026-03-02"}',
        "Jürgen Weiß",
        "am Freitag, 06.03.",
        "2026-03-06",
        "Gießereistraße 7",
    ),
    desk(
        "09.03.2026",
        "am 7. März in der U2, rot",
        '{"color": "rot", "line": "U2", "date": "2026-03-07"}',
        "Lena Brandt",
        "am 12. März",
        "2026-03-12",
        "Lindenallee 22",
    ),
    desk(
        "11.03.2026",
        "Bus 118, heute, silber",
        '{"color": "silber", "line": "118", "date": "2026-03-11"}',
        "Özlem Kaya",
        "morgen",
        "2026-03-12",
        "Am Mühlgraben 14a",
    ),
    desk(
        "16.03.2026",
        "am 15.03. in der 42, schwarz",
        '{"color": "schwarz", "line": "42", "date": "2026-03-15"}',
        "Karl Groß",
        "18.03.2026",
        "2026-03-18",
        "Ringstraße 3",
    ),
]


def trained() -> tuple[Wordings, Slots]:
    slots = slots_of(OWN)
    return wordings_of(Reader(predict="actions", slots=slots).read(OWN)), slots


def held_after(*said: str, today: str = "26.03.2026", answers: tuple[str, ...] = ()) -> Held:
    """A conversation in which all was said, the system's answers between."""
    held = Held()
    held.note(NOTE.format(today))
    for number, text in enumerate(said):
        held.hear(text)
        if number < len(said) - 1:
            held.answer(answers[number] if number < len(answers) else "Gut.")
    return held


def said(action: str, held: Held, user: str) -> str | None:
    wordings, slots = trained()
    return wordings.said(action, user, held.last, held, KnownEntities(Names()), slots)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3. März", date(2026, 3, 3)),
        ("3.März 2025", date(2025, 3, 3)),
        ("5. Dez.", date(2026, 12, 5)),
        ("1. Mai", date(2026, 5, 1)),
        ("Montag", date(2026, 3, 30)),
        ("Samstagabend", date(2026, 3, 28)),
        ("kommenden Mittwoch", date(2026, 4, 1)),
        ("Freitag nächste Woche", date(2026, 4, 3)),
        ("nächsten Freitag", None),
    ],
)
def test_a_german_date_is_a_day(text: str, day: date | None) -> None:
    assert [value.text for value in values_in(f"ab {text} geht es")] == [text]
    assert day_meant(text, TODAY, TODAY) == day


@pytest.mark.parametrize("text", ["montags geschlossen", "der Mai ist schön", "£2.10.", "das kostet 12.08. Danke"])
def test_what_is_no_day_is_no_date(text: str) -> None:
    assert not [value for value in values_in(text) if value.kind == "date"]


@pytest.mark.parametrize("text", ["am Freitag, 06.03.", "nein, 06.03.", "doch lieber 06.03."])
def test_a_date_with_points_may_follow_a_comma_or_a_day(text: str) -> None:
    assert values_in(text)[-1].kind == "date"


@pytest.mark.parametrize(
    "text",
    [
        "Heute ist der 26.03.2026.",
        "Heute ist Donnerstag, der 26.03.2026",
        "Today is Thursday, March 26th, 2026",
        "Heutiges Datum: 2026-03-26",
    ],
)
def test_a_note_tells_todays_date_in_many_ways(text: str) -> None:
    assert [day for _, _, day in days_from_today("heute", todays_in(text))] == [date(2026, 3, 26)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("gestern Abend", [25]),
        ("vorgestern oder heut", [24, 26]),
        ("morgen früh", [27]),
        ("übermorgen", [28]),
        ("the day after tomorrow, not tomorrow", [28, 27]),
        ("yesterday", [25]),
        ("Guten Morgen, heute morgen", [26]),
        ("Morgen, ich suche etwas", []),
        ("am Morgen", []),
    ],
)
def test_days_are_told_from_today(text: str, days: list[int]) -> None:
    assert [day.day for _, _, day in days_from_today(text, TODAY)] == days
    assert days_from_today(text, []) == [], "nobody said which day today is"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("heute, nein, morgen", ["heute"]),
        ("am 3. März, Verzeihung, am 4. März", ["3. März"]),
        ("Linie 42, ach nee, 24", ["42"]),
        ("Linie 12 habe ich vergessen, nein, Linie 21", ["12"]),
        ("line 12 it was, no, line 21", ["12"]),
        ("Linie 5, nein, 7", ["5"]),
        ("Linie 12 oder 21", []),
        ("order no 4711, order no 4712", []),
        ("orders 700111 and no 700112", []),
    ],
)
def test_corrections_are_understood_in_german_and_across_a_clause(text: str, taken: list[str]) -> None:
    found = [text[start:end] for start, end in sorted(taken_back(text))]
    assert [word for word in found if word != "Linie"] == taken


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("Claudia Böhm", ["Claudia Böhm"]),
        ("Claudia Böhm, bitte", ["Claudia Böhm"]),
        ("Am Mühlgraben 14a", ["Am Mühlgraben 14a"]),
        ("Straße des 17. Juni 135", ["Straße des 17. Juni 135"]),
        ("Linie 42", []),
        ("Guten Tag", []),
        ("ja, Vielen Dank", []),
        ("ich war im Bus Linie 5", []),
        ("Ich heiße Karl Groß", ["Karl Groß"]),
    ],
)
def test_names_and_addresses_are_told_from_nouns(text: str, sure: list[str]) -> None:
    assert [name.text for name in names_in(text) if name.sure] == sure


def test_a_noun_before_its_number_is_no_value() -> None:
    found = [name.text for name in names_in("ich habe den Schirm in der Linie 42 und im Bus N7 vergessen")]
    assert found == ["Schirm"]


def test_a_response_with_nouns_that_nobody_said_can_be_said_though_few_dialogs_have_it() -> None:
    held, slots = held_after("Hallo"), slots_of(OWN[:2])
    assert slots.foreign("In welcher Linie oder an welcher Haltestelle?", held) == []
    assert slots.foreign("Das ist für Jürgen Weiß, guten Tag.", held) != []


def test_a_name_is_what_the_user_said_and_not_what_the_note_holds() -> None:
    held = held_after("Hallo", "Rot", "Claudia Böhm", "am 1. April", answers=("Was?", "Auf welchen Namen?"))
    assert said("confirm", held, "am 1. April") == (
        "Ich merke das für Claudia Böhm zur Abholung am 01.04.2026 vor. Ist das richtig?"
    )


def test_without_a_name_or_a_day_of_the_users_a_note_fills_none() -> None:
    assert said("confirm", held_after("Hallo", "ja"), "ja") is None


@pytest.mark.parametrize(
    ("on", "day"), [("übermorgen", "28.03.2026"), ("am Samstag", "28.03.2026"), ("2.4. bitte", "02.04.2026")]
)
def test_a_response_has_the_date_as_responses_of_training_have_it(on: str, day: str) -> None:
    asked = ("Was?", "Auf welchen Namen?", "An welchem Tag?")
    held = held_after("am 1.3. verloren", "Rot", "Claudia Böhm", on, answers=asked)
    assert said("confirm", held, on) == f"Ich merke das für Claudia Böhm zur Abholung am {day} vor. Ist das richtig?"


@pytest.mark.parametrize(
    ("lost", "values"),
    [
        ("gestern in der Linie 5, nein, 9, schwarz", ("schwarz", "9", "2026-03-25")),
        ("heute in der U3 einen roten Schal", ("rot", "U3", "2026-03-26")),
        ("am 3. März im Bus 31, silber", ("silber", "31", "2026-03-03")),
    ],
)
def test_a_call_has_lines_colours_and_days_as_they_are_said(lost: str, values: tuple[str, str, str]) -> None:
    color, line, day = values
    call = f'api_call search {{"color": "{color}", "line": "{line}", "date": "{day}"}}'
    assert said("search", held_after("Hallo", lost), lost) == call


def test_an_address_fills_the_gap_for_one_and_no_name_does() -> None:
    asked = ("Auf welchen Namen?", "Und Ihre Anschrift?", "An welchem Tag?")
    named = held_after("Eva Lang", "Schloßstraße 12", "morgen", "ja", answers=asked)
    assert said("reserve", named, "ja") == (
        'api_call reserve {"name": "Eva Lang", "date": "2026-03-27", "address": "Schloßstraße 12"}'
    )
    assert said("reserve", held_after("Eva Lang", "Großbeeren", "morgen", "ja", answers=asked), "ja") is None


def test_a_street_that_is_called_after_a_day_is_no_date() -> None:
    asked = ("Auf welchen Namen?", "Und Ihre Anschrift?")
    held = held_after("Eva Lang", "Straße des 17. Juni 135", answers=asked)
    assert [one.text for one in held.heard if one.kind == "date" and one.time] == []


@pytest.mark.parametrize("words", ["zwei Fahrscheine bitte", "two tickets, please", "2 Fahrscheine"])
def test_a_number_may_be_said_as_a_word(words: str) -> None:
    held = held_after(words)
    assert held.counts("2")
    assert held.says(("2",))
    assert not held.says(("3",))


@pytest.mark.parametrize(("name", "speaker"), [("Kundin", "user"), ("Anrufer", "user"), ("Mitarbeiter", "system")])
def test_who_speaks_may_have_a_german_name(name: str, speaker: str) -> None:
    assert speaker_named(name) == speaker
