"""Ways to damage what is read from disk: bytes, lengths, chunks, lines, JSON."""

import re
import struct
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

_MAX_BYTES = 2**16
_HEAD = 96  # bytes in which most headers tell sizes
_CHUNK = re.compile(rb"[A-Za-z][A-Za-z0-9 ]{3}", re.DOTALL)
_LAYOUTS = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q", "<f", ">f", "<d", ">d")
_INTEGERS = tuple(
    number + step
    for number in (0, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63, 2**64)
    for step in (-2, -1, 0, 1)
)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e25, 1e300, float("nan"), float("inf"))
_CELLS = (
    *(b"", b",", b";", b"\t", b'"', b'""', b"\r", b"\n", b"\r\n", b"\0", b"\x1b[31m"),
    *(b"\xff", b"\xed\xb3\xbf", b"\xef\xbb\xbf", "é\u2028\u202e".encode(), b"nan"),
    *(b"path", b"label", b"speaker", b"a.wav", b"../", b"~", b"~nobody/", b"-", b"/"),
    *(b"x" * 300, b"y" * 5000, b"z" * 140_000, b"1e999", b"=1+1", b"/dev/zero"),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 16, 255, 2**31, 2**63, -(2**63), 10**9),
    *(10**30, 10**400, 0.0, -0.0, 0.5, 1e-300, 1e300, float("nan"), float("inf")),
    *("", "a", "passthrough", "\0", "\ud800", "é", "x" * 5000, "<U9999", "|O"),
    *([], {}, [None], [[]], [0, 0], {"tuple": []}, {"tuple": [1, 2]}, {"": None}),
    *(["a", "a"], ["a", 1], list(range(200))),
)
Mutator = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutate_bytes(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Damage a file of any kind, in one to four ways.

    Parameters
    ----------
    content : bytes
        What is damaged.
    rng : random.Random
        It decides all.
    others : sequence of bytes
        Files from which pieces are taken.

    Returns
    -------
    bytes
        No more than 64 kB, unless `content` is longer.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        content = rng.choice(_BYTE_WAYS)(content, rng, others)
    return content[: max(_MAX_BYTES, len(content) // 2)]


def mutate_text(content: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """Damage a table or a list: cells, lines, quotation marks, and bytes."""
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        content = rng.choice(_TEXT_WAYS)(content, rng, others)
    return content


def mutate_json(value: Any, rng: Random) -> Any:
    """Return JSON in which one to three entries are others, or elsewhere, or gone."""
    value = deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            return deepcopy(rng.choice(_VALUES))
        holder, key = rng.choice(places)
        way = rng.random()
        if way < 0.6:
            holder[key] = _near(holder[key], rng)
        elif way < 0.75:
            other, place = rng.choice(places)
            holder[key] = deepcopy(other[place])
        elif way < 0.9 or isinstance(holder, list):
            del holder[key]
        else:
            holder[rng.choice(("", "type", "steps", "tuple", "x"))] = holder.pop(key)
    return value if rng.random() < 0.99 else _nest(value)


def _places(value):
    """Yield what holds something, and where, through all of some JSON."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, (dict, list)):
        for key, entry in list(entries):
            yield value, key
            if isinstance(entry, (dict, list)):
                yield from _places(entry)


def _near(value, rng):
    if isinstance(value, (int, float)) and rng.random() < 0.5:
        return rng.choice((value + 1, value - 1, -value, value * 2, value % 7, value))
    if isinstance(value, str) and value and rng.random() < 0.3:
        content = value.encode(errors="surrogatepass")
        return mutate_text(content, rng, ()).decode(errors="replace")
    if isinstance(value, list) and rng.random() < 0.3:
        return value * rng.choice((2, 3))
    return deepcopy(rng.choice(_VALUES))


def _nest(value):
    for _ in range(100):
        value = [value]
    return value


def _place(content, rng):
    """Draw a position, every second time one in the head."""
    n_bytes = len(content) if rng.random() < 0.5 else min(len(content), _HEAD)
    return rng.randrange(n_bytes + 1)


def _flip_bits(content, rng, others):
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16)) if changed else 0):
        changed[min(_place(content, rng), len(changed) - 1)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set_number(content, rng, others):
    layout = rng.choice(_LAYOUTS)
    if layout[1] in "fd":
        number = rng.choice(_FLOATS)
        number = min(number, 3e38) if layout[1] == "f" else number
    else:
        number = rng.choice(_INTEGERS) % 256 ** struct.calcsize(layout)
    return _overwrite(content, _place(content, rng), struct.pack(layout, number))


def _change_number(content, rng, others):
    """Make a number that is there a little larger or smaller, or many times so."""
    layout, start = rng.choice(_LAYOUTS[:7]), _place(content, rng)
    size = struct.calcsize(layout)
    if start + size > len(content):
        return content
    (number,) = struct.unpack_from(layout, content, start)
    number = rng.choice((number + 1, number - 1, number * 2, number // 2, -number))
    return _overwrite(content, start, struct.pack(layout, number % 256**size))


def _set_random(content, rng, others):
    return _overwrite(content, _place(content, rng), rng.randbytes(rng.randint(1, 8)))


def _overwrite(content, start, piece):
    return content[:start] + piece + content[start + len(piece) :]


def _cut(content, rng, others):
    return content[: rng.randrange(len(content) + 1)]


def _drop(content, rng, others):
    start = _place(content, rng)
    return content[:start] + content[start + rng.choice((1, 2, 4, 8, 100, 1000)) :]


def _insert(content, rng, others):
    start, size = _place(content, rng), rng.choice((1, 2, 4, 8, 100, 3000))
    piece = rng.choice((rng.randbytes(size), bytes(size), b"\xff" * size))
    return content[:start] + piece + content[start:]


def _repeat(content, rng, others):
    start, size = _place(content, rng), rng.choice((1, 4, 16, 200, 2000))
    piece = content[start : start + size] * rng.choice((1, 2, 8))
    return content[:start] + piece + content[start:]


def _splice(content, rng, others):
    other = rng.choice(others) if others else content
    return content[: _place(content, rng)] + other[_place(other, rng) :]


def _borrow(content, rng, others):
    other = rng.choice(others) if others else content
    start, size = _place(other, rng), rng.choice((4, 8, 16, 64, 512))
    return _overwrite(content, _place(content, rng), other[start : start + size])


def _change_chunk(content, rng, others):
    """Change what looks like a chunk of RIFF, AIFF or MPEG-4: name, size, place."""
    found = [match.start() for match in _CHUNK.finditer(content[:4096])]
    if not found:
        return _flip_bits(content, rng, others)
    start = rng.choice(found)
    way = rng.randrange(4)
    if way == 0:
        number = rng.choice(_INTEGERS) % 2**32
        layout = rng.choice(("<I", ">I"))
        return _overwrite(content, start + 4, struct.pack(layout, number))
    if way == 1:
        other = rng.choice(found)
        return _overwrite(content, start, content[other : other + 4])
    end = rng.choice(found)
    start, end = min(start, end), max(start, end)
    chunk = content[start:end]
    if way == 2:
        return content[:start] + content[end:]
    return content[:end] + chunk + content[end:]


def _insert_cell(content, rng, others):
    start = rng.randrange(len(content) + 1)
    return content[:start] + rng.choice(_CELLS) + content[start:]


def _change_cell(content, rng, others):
    cells = re.split(rb"([,\t\n])", content)
    cells[rng.randrange(len(cells))] = rng.choice(_CELLS)
    return b"".join(cells)


def _change_line(content, rng, others):
    lines = content.splitlines(keepends=True) or [b""]
    place, way = rng.randrange(len(lines)), rng.randrange(4)
    if way == 0:
        del lines[place]
    elif way == 1:
        lines.insert(place, rng.choice(lines))
    elif way == 2:
        lines[place] = lines[place].rstrip(b"\r\n") + rng.choice((b"\r", b"\r\n", b""))
    else:
        rng.shuffle(lines)
    return b"".join(lines)


def _encode_anew(content, rng, others):
    text = content.decode(errors="replace")
    return text.encode(
        rng.choice(("utf-16", "utf-32", "utf-8-sig", "cp037")), "replace"
    )


_BYTE_WAYS: tuple[Mutator, ...] = (
    *(_flip_bits, _set_number, _set_number, _change_number, _set_random, _cut, _drop),
    *(_insert, _repeat, _splice, _borrow, _change_chunk, _change_chunk),
)
_TEXT_WAYS: tuple[Mutator, ...] = (
    *(_insert_cell, _insert_cell, _change_cell, _change_cell, _change_line),
    *(_encode_anew, _flip_bits, _set_random, _cut, _drop, _insert, _repeat, _splice),
)
