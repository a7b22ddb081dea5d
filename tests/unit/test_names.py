"""Which fields of records give names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksieve.dialogs import Dialog, Turn
from tasksieve.encoding import Names, names_of
from tasksieve.encoding.phrases import Phrases, phrase_of, put_in_place
from tests.reading import facts, records

RESTAURANTS = [
    {"name": f"Da Enzo {n}", "rating": n % 3, "address": f"{n} Saint Peter", "open": True, "phone": f"555 {n}"}
    for n in range(12)
]
NAMED = Turn("which one", "da enzo 3, it is at 3 saint peter")


def names(*events: object) -> Names:
    (found,) = names_of([Dialog(tuple(events))])  # type: ignore[arg-type]
    return found


def test_values_that_belong_to_one_record_each_are_names_whatever_their_length() -> None:
    found = names(*records("Restaurants_1", *RESTAURANTS), NAMED)
    assert found.fields == {"Restaurants_1": ("name", "address", "phone")}
    assert found.gaps() == {"<entity>", "<address>", "<phone>"}
    assert found.sentence() == "names: name, address, phone of Restaurants_1"


def test_nine_are_too_few_to_tell() -> None:
    assert names(*records("Restaurants_1", *RESTAURANTS[:9]), NAMED).fields == {}


def test_a_few_of_one_name_leave_it_a_name() -> None:
    many = [{"name": f"Da Enzo {n}", "address": f"{n} Saint Peter"} for n in range(60)]
    twice = [{"name": "Da Enzo 3", "address": "99 Main St"}, {"name": "Da Enzo 4", "address": "98 Main St"}]
    (found,) = names_of([Dialog((*records("Restaurants_1", row), NAMED)) for row in (*many, *twice)])
    assert found.fields == {"Restaurants_1": ("name", "address")}


def test_lists_name_nothing() -> None:
    rows = [{"name": f"Da Enzo {n}", "dishes": [f"dish {n}", f"meal {n}"]} for n in range(12)]
    assert names(*records("Restaurants_1", *rows), NAMED).fields == {"Restaurants_1": ("name",)}


def test_a_knowledge_base_of_triples_has_names() -> None:
    told = facts(*(f"r{n} {fact}" for n in range(10) for fact in (f"R_phone p{n}", f"R_rating {n % 3}")))
    assert names(*told, Turn("hi", "r1 it is")).fields == {"kb": ("name", "r_phone")}
    # two with one telephone number: it settles nothing any more
    shared = facts("other R_phone p3", "another R_phone p4")
    assert names(*told, *shared, Turn("hi", "r1 it is")).fields == {"kb": ("name",)}


def test_ordinary_words_are_no_names() -> None:
    ids = facts(*(f"r{n} R_id {n}" for n in range(10)))
    asked = Turn("which", "r3 and r4")
    assert names(*ids, asked).fields == {"kb": ("name", "r_id")}
    counted = names(Turn("a table for 3 or 4", "for 5 it is"), *ids, asked)
    assert counted.fields == {"kb": ("name",)}
    assert counted.sentence() == "names: name of kb; not used: r_id of kb (said where no record tells it)"
    before = [Turn("r1", "no"), *ids, *(Turn("and", f"r{n}") for n in range(10))]
    assert names(*before).fields == {"kb": ("name", "r_id")}  # one of eleven came before its record


def test_names_that_no_response_says_are_not_used() -> None:
    found = names(*records("Restaurants_1", *RESTAURANTS), Turn("da enzo 3", "as you like"))
    assert found.fields == {} and found.refused == (("Restaurants_1", "name", "no response says one"),)


def test_what_records_that_come_together_share_is_no_name() -> None:
    flights = [
        record
        for city in range(12)
        for record in records(
            "Flights", *({"airport": f"AP{city}", "city": f"town {city}", "time": t} for t in (1, 2))
        )
    ]
    dialogs = [Dialog((*flights[n : n + 2], Turn("fly", f"from ap{n // 2}"))) for n in range(0, 24, 2)]
    assert names_of(dialogs)[0].fields == {}


def test_every_task_is_judged_by_itself() -> None:
    many, few = records("Hotels", *RESTAURANTS), records("Hotels", *RESTAURANTS[:3])
    said = Turn("555 1 555 2", "da enzo 3")
    ordinary = [Turn("3 Saint Peter", "good"), Turn("oslo1", "oslo2")]
    towns = records("Towns", *({"name": f"oslo{n}", "code": f"code {n}"} for n in range(12)))
    first, second, third = names_of(
        [Dialog((*many, said, *towns, Turn("where", "oslo1")))],
        [Dialog((*few, said))],
        [Dialog((*ordinary, *towns, Turn("where", "oslo1")))],
    )
    assert first.fields == {"Hotels": ("name", "address", "phone"), "Towns": ("name", "code")}
    assert second.fields == {"Hotels": ("name", "address", "phone")}  # too few of its own: what all tasks say
    assert third.fields == {}  # here they are said where no record tells them
    assert [path for _, path, _ in third.refused] == ["name", "code"]


def test_notes_name_nothing_and_leave_names_alone() -> None:
    events = (*records("Restaurants_1", *RESTAURANTS), NAMED)
    prompts = facts("You are a kind assistant.", "i am a restaurant assistant")
    assert names(*prompts, *events) == names(*events)
    assert names(*prompts, Turn("hello", "thank you")) == Names()


def test_names_are_written_and_read() -> None:
    found = Names({"Hotels_1": ("hotel_name", "address.street")}, (("kb", "name", "because"),))
    assert Names.read(found.plain()) == found
    assert Names.read(None) == Names()
    assert Names.read(["r_phone"]) == Names({"kb": ("name", "r_phone")})  # as older versions wrote them
    for wrong in ("kb", [1], {"fields": []}, {"fields": {}, "refused": [[1]]}):
        with pytest.raises(ValueError, match="names: found"):
            Names.read(wrong)


WORDS = st.sampled_from(["71", "Saint", "Peter,", "peter", "'71", "street."])


@given(st.lists(WORDS, max_size=8))
def test_phrases_are_found_longest_first_and_never_overlap(words: list[str]) -> None:
    phrases: Phrases[str] = Phrases()
    for text in ("71 saint peter", "saint", "peter", "71"):
        phrases.add(phrase_of(text), text)
    place = 0
    for start, end, text in phrases.find(words):
        assert place <= start < end <= len(words)
        assert phrase_of(" ".join(words[start:end])) == phrase_of(text)
        place = end


def test_punctuation_around_a_phrase_stays() -> None:
    assert put_in_place(["at", "'71", "Peter',"], 1, 3, "71 Peter", "<address>") == "'<address>',"
    assert put_in_place(["ask", "Lund", "(A12),"], 1, 3, "Lund (A12)", "<entity>") == "<entity>,"
    assert put_in_place(['"Lund"}'], 0, 1, "Lund", "<entity>") == '"<entity>"}'
    assert put_in_place(["(Lund", "St."], 0, 2, "Lund St.", "<street>") == "(<street>"
    assert phrase_of("71 Saint Peter.") == phrase_of("(71 saint peter)")
