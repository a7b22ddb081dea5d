"""Files made from whole ones by small damages, as a function of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

LONGEST = 1 << 16
"""Bytes of a mutated file, but for the rare ones that repeat a part many times."""
TOKENS = (
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\t", b"\x1b[31m", b"\\u0000", b"\\ud800", b"\xc3\x28"),
    *(b"[", b"{", b"]", b"}", b'"', b"'", b":", b",", b"=", b"#", b"%", b"&", b"*", b"!!python/object:os.system"),
    *(b"NaN", b"-Infinity", b"1e999", b"null", b"true", b"-1", b"9" * 5000, b"\xff" * 8, b"0" * 64, b"\x7f" * 4),
)


def mutated(seeds: Sequence[bytes], number: int) -> bytes:
    """One of the seeds with one to six damages; the number chooses all."""
    chance = random.Random(number)
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        data = chance.choice(DAMAGES)(data, chance, seeds)[:LONGEST]
    if chance.random() < 0.001:
        part = _part(data, chance)[1] or b"["
        data = data.replace(part, part * (LONGEST * 4 // len(part)), 1)
    return data


def _part(data: bytes, chance: random.Random) -> tuple[int, bytes]:
    start = chance.randrange(len(data) + 1)
    return start, data[start : start + chance.choice((1, 2, 4, 16, 64, 1024))]


def _flip(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return b"\0"
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def _byte(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.randbytes(1) + data[place + 1 :]


def _drop(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, part = _part(data, chance)
    return data[:start] + data[start + len(part) :]


def _cut(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _again(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, part = _part(data, chance)
    return data[:start] + part * chance.choice((2, 3, 40)) + data[start + len(part) :]


def _move(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, part = _part(data, chance)
    rest = data[:start] + data[start + len(part) :]
    place = chance.randrange(len(rest) + 1)
    return rest[:place] + part + rest[place:]


def _token(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start, part = _part(data, chance)
    kept = part if chance.random() < 0.5 else b""
    return data[:start] + chance.choice(TOKENS) + kept + data[start + len(part) :]


def _splice(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _number(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Put a number of eight bytes, as headers have them, somewhere."""
    value = chance.choice((0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, chance.getrandbits(64)))
    place = chance.randrange(len(data) + 1)
    return data[:place] + value.to_bytes(8, chance.choice(("little", "big"))) + data[place + 8 :]


def _nest(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + chance.choice((b"[", b'{"a":', b"a.", b"- ", b"{a = ")) * 3000 + data[start:]


_Damage = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
DAMAGES: tuple[_Damage, ...] = (
    *(_flip, _flip, _flip, _flip, _byte, _byte, _byte, _drop, _drop, _drop, _cut, _cut, _again, _again, _move, _move),
    *(_token, _token, _token, _token, _token, _splice, _splice, _number, _number, _nest),
)
