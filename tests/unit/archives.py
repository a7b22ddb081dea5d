"""A small archive of annotated dialogs, made by hand: three services that ask, confirm and do."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tasksieve.dialogs import Act, Dialog, Turn
from tasksieve.dialogs.formats import format_named

SERVICES = {
    "Boats_1": ("harbour", "day", "seats"),
    "Rooms_1": ("town", "day", "guests"),
    "Tables_1": ("town", "hour", "guests"),
}
"""Slots that each service asks for."""
_VALUES = {
    "harbour": ("Porto", "Kiel", "Oban"),
    "town": ("Riga", "Bern", "Cork"),
    "day": ("Monday", "Friday", "Sunday"),
    "hour": ("noon", "six", "eight"),
    "seats": ("two", "three", "five"),
    "guests": ("two", "four", "six"),
}


def dialog(service: str, number: int) -> Dialog:
    """One that asks for some slots, confirms, at times twice, and ends."""
    random = Random(f"{service} {number}")
    slots = SERVICES[service]
    values = {slot: random.choice(_VALUES[slot]) for slot in slots}
    turns, said = [], f"hello number {number} I want something of {service.lower()}"
    for slot in random.sample(slots, random.randint(1, len(slots))):
        turns.append(Turn(said, f"which {slot} would suit you , number {number} ?", acts=(Act("request", slot),)))
        said = f"{values[slot]} would be my {slot}"
    for _ in range(random.randint(1, 2)):
        told = " and ".join(values.values())
        turns.append(Turn(said, f"so it is {told} , right ?", acts=tuple(Act("confirm", slot) for slot in slots)))
        said = random.choice(("yes please", "no , make it Sunday"))
    turns.append(Turn(said, f"all done , number {number} .", acts=(Act("notify_success"), Act("goodbye"))))
    return Dialog(tuple(turns))


def service_dialogs(service: str, count: int = 30) -> list[Dialog]:
    """The dialogs of a service."""
    return [dialog(service, number) for number in range(count)]


def write_archive(folder: Path, ending: str = "json", count: int = 30) -> Path:
    """Write the services as files of a format, a file a service."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        format_named("sgd" if ending == "json" else ending).write(
            service_dialogs(service, count), folder / f"{service}.{ending}"
        )
    return folder
