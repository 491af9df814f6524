"""Tell whether a delimited text is so regular that a parallel reader may be trusted with it: a pass over its bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from beffroi.lake.connectors.figures import Fields, Octets, Positions, Tally, Watched, fields_of, tally

_SCAN = 2 << 20
"""Small enough for what is made of a part to stay near the processor: by parts of 16 MB it took twice the time; large
enough for threads not to spend theirs on waiting for each other: by parts of 512 KB it took half as much again."""
_KEPT = 24 << 20

_THREADS = 2
_END, _RETURN, _QUOTE, _SPACE = 10, 13, 34, 32


@dataclass(frozen=True, slots=True)
class Regular:
    """A text whose records each stand on one line, of `longest` octets at most, those skipped included.

    `bare`: no value begins or ends with a blank, none is quoted. `tally` is what they hold, when it was asked for.
    """

    lines: int
    bare: bool
    longest: int
    tally: Tally | None = None


def _listed(*octets: int) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(octets)] = True
    return table


_RARE_BLANKS = (b"\t", b"\xc2", b"\xe2", b"\xef")
"""How the blanks of `profile` begin in UTF-8, but for the space, and the returns that end lines."""

# What the blanks of `profile` begin and end with in UTF-8 (some letters end so too: they only cost the trimming).
_MAY_BEGIN_BLANK = _listed(9, 32, _QUOTE, 0xC2, 0xE2, 0xEF)
_MAY_END_BLANK = _listed(9, 32, _QUOTE, 0x89, 0x8B, 0xA0, 0xAF, 0xBF)


def regular(path: Path, separator: str, width: int, skip: int, watched: Watched | None = None) -> Regular | None:
    """Say how regular a text is after `skip` lines: `width` fields a line, all ended alike, no quote out of place.

    None when it is not. What is `watched` is counted in the same pass.
    """
    # Once a block as large was given back, memory of this size stays with the process: asked for anew at each part, it
    # took as long as the looking.
    np.empty(_KEPT, dtype=np.uint8)
    lines, bare, longest, returns, held = 0, True, 0, set(), None
    with path.open("rb") as handle:
        for _ in range(skip):
            longest = max(longest, len(handle.readline()))
        for part, found in _examined(handle, ord(separator), width, watched):
            # DuckDB's reader stops at a line that does not end as the first does.
            returns.add(part.endswith(b"\r\n"))
            if found is None or len(returns) > 1:
                return None
            lines, bare, longest = lines + found.lines, bare and found.bare, max(longest, found.longest)
            if found.tally is not None:
                held = held.add(found.tally) if held else found.tally
    return Regular(lines, bare, longest, held)


def _examined(
    handle: BinaryIO, separator: int, width: int, watched: Watched | None
) -> Iterator[tuple[bytes, Regular | None]]:
    """Yield the parts of a text and what each is, in their order, examined by all threads."""
    waiting: deque[tuple[bytes, Future[Regular | None]]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        try:
            for part in whole_lines(handle):
                waiting.append((part, threads.submit(_lines, part, separator, width, watched)))
                if len(waiting) > 2 * _THREADS:
                    first, found = waiting.popleft()
                    yield first, found.result()
            for part, found in waiting:
                yield part, found.result()
        finally:
            threads.shutdown(cancel_futures=True)


def whole_lines(handle: BinaryIO, size: int = _SCAN, after: bytes = b"") -> Iterator[bytes]:
    """Yield the text by large parts cut at ends of lines, the last one without the blank lines that may end it.

    What is `after` is put after each part.
    """
    rest, end = b"", b"\n"
    while chunk := handle.read(size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            # A line longer than a part: nobody's table.
            yield chunk
            rest = rest + chunk
            continue
        part = b"".join([rest, memoryview(chunk)[:cut], after])
        end = b"\r\n" if chunk.endswith(b"\r\n", 0, cut) else b"\n"
        rest = chunk[cut:]
        yield part
    rest = rest.rstrip(b"\r\n")
    if rest:
        yield rest + end + after


def _lines(data: bytes, separator: int, width: int, watched: Watched | None) -> Regular | None:
    # Looking for an octet costs a tenth of counting it.
    returns = data.count(b"\r") if b"\r" in data else 0
    if (
        not data.endswith(b"\n")
        or b"\x00" in data
        or (returns and (returns != data.count(b"\r\n") or returns != data.count(b"\n")))
    ):
        return None
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = octets == _END
    limits = ends | (octets == separator)
    quoted = b'"' in data
    found = np.flatnonzero(limits)
    marks = _unquoted(octets, found, separator) if quoted else found
    if marks is None or len(marks) % width:
        return None
    lines = marks[width - 1 :: width]
    if not ends[lines].all() or np.count_nonzero(ends) != len(lines):
        return None
    fields = fields_of(octets, marks, width, returns=bool(returns))
    if returns:
        limits |= octets == _RETURN
    bare = not quoted and _is_bare(data, fields, limits)
    told = tally(fields, watched, quoted=quoted) if watched else None
    return Regular(len(lines), bare, _longest(lines), told)


def _longest(ends: npt.NDArray[np.int64]) -> int:
    """Return the length of the longest line, its end included, of those that end there; 0 when there is none."""
    return int(np.diff(ends, prepend=-1).max(initial=0))


def _is_bare(data: bytes, fields: Fields, limits: npt.NDArray[np.bool_]) -> bool:
    """Tell whether no value begins or ends with what may be a blank; `limits` are the octets where fields end."""
    if any(mark in data for mark in _RARE_BLANKS):
        begins, ends = fields.octets[1:][fields.ends[:-1]], fields.before[fields.ends]
        firsts = fields.octets[fields.first]
        return not any(_MAY_BEGIN_BLANK[some].any() for some in (firsts, begins)) and not _MAY_END_BLANK[ends].any()
    spaces = fields.octets == _SPACE
    return not (spaces[0] or (spaces[1:] & limits[:-1]).any() or (spaces[:-1] & limits[1:]).any())


def _unquoted(octets: Octets, marks: Positions, separator: int) -> Positions | None:
    """Return which of `marks` end a field; None when a quote is out of place, or spans lines."""
    quotes = np.flatnonzero(octets == _QUOTE)
    if len(quotes) % 2 or not _quotes_in_place(octets, quotes, separator):
        return None
    # An odd number of quotes before a place puts it inside a quoted field.
    inside = (np.searchsorted(quotes, marks) & 1).astype(bool)
    return None if (inside & (octets[marks] == _END)).any() else marks[~inside]


def _quotes_in_place(octets: Octets, quotes: npt.NDArray[np.int64], separator: int) -> bool:
    """Tell whether each quote opens after a separator or an end of line, or closes before one, or is doubled."""
    opening, closing = quotes[0::2], quotes[1::2]
    limits = _listed(separator, _END, _RETURN, _QUOTE)
    before = limits[octets[np.maximum(opening - 1, 0)]] | (opening == 0)
    return bool(before.all() and limits[octets[np.minimum(closing + 1, len(octets) - 1)]].all())
