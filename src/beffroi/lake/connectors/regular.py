"""Tell whether a delimited text is so regular that a parallel reader may be trusted with it: a pass over its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

_SCAN = 1 << 20
"""Small enough for what is made of a part to stay near the processor: by parts of 16 MB it took twice the time."""

_THREADS = 2
_END, _RETURN, _QUOTE = 10, 13, 34

Octets = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Regular:
    """A text whose records each stand on one line, of `longest` octets at most, those skipped included.

    `bare`: no value begins or ends with a blank, none is quoted.
    """

    lines: int
    bare: bool
    longest: int


def _listed(*octets: int) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(octets)] = True
    return table


# What the blanks of `profile` begin and end with in UTF-8 (some letters end so too: they only cost the trimming).
_MAY_BEGIN_BLANK = _listed(9, 32, _QUOTE, 0xC2, 0xE2, 0xEF)
_MAY_END_BLANK = _listed(9, 32, _QUOTE, 0x89, 0x8B, 0xA0, 0xAF, 0xBF)


def regular(path: Path, separator: str, width: int, skip: int) -> Regular | None:
    """Say how regular a text is after `skip` lines: `width` fields a line, all ended alike, no quote out of place.

    None when it is not.
    """
    lines, bare, longest, returns = 0, True, 0, set()
    with path.open("rb") as handle, ThreadPoolExecutor(_THREADS) as threads:
        for _ in range(skip):
            longest = max(longest, len(handle.readline()))
        examine = partial(_lines, separator=ord(separator), width=width)
        parts = _whole_lines(handle)
        while some := list(islice(parts, _THREADS)):
            # DuckDB's reader stops at a line that does not end as the first does.
            returns |= {part.endswith(b"\r\n") for part in some}
            for found in threads.map(examine, some):
                if found is None or len(returns) > 1:
                    return None
                lines, bare, longest = lines + found.lines, bare and found.bare, max(longest, found.longest)
    return Regular(lines, bare, longest)


def _whole_lines(handle: BinaryIO) -> Iterator[bytes]:
    """Yield the text by large parts cut at ends of lines, the last one without the blank lines that may end it."""
    rest, end = b"", b"\n"
    while chunk := handle.read(_SCAN):
        whole, mark, rest = (rest + chunk).rpartition(b"\n")
        end = b"\r\n" if whole.endswith(b"\r") else b"\n"
        yield whole + mark or chunk
    rest = rest.rstrip(b"\r\n")
    if rest:
        yield rest + end


def _lines(data: bytes, *, separator: int, width: int) -> Regular | None:
    # Looking for an octet costs a tenth of counting it.
    returns = data.count(b"\r") if b"\r" in data else 0
    if (
        not data.endswith(b"\n")
        or b"\x00" in data
        or (returns and (returns != data.count(b"\r\n") or returns != data.count(b"\n")))
    ):
        return None
    octets = np.frombuffer(data, dtype=np.uint8)
    if b'"' in data:
        return _quoted_lines(octets, separator, width)
    marks = np.flatnonzero((octets == _END) | (octets == separator))
    if len(marks) % width:
        return None
    ends = (octets[marks] == _END).reshape(-1, width)
    if not ends[:, -1].all() or ends[:, :-1].any():
        return None
    bare = _is_bare(octets, marks, width, returns=bool(returns))
    return Regular(len(ends), bare, _longest(marks[width - 1 :: width]))


def _longest(ends: npt.NDArray[np.int64]) -> int:
    """Return the length of the longest line, its end included, of those that end there; 0 when there is none."""
    return int(np.diff(ends, prepend=-1).max(initial=0))


def _is_bare(octets: Octets, marks: npt.NDArray[np.int64], width: int, *, returns: bool) -> bool:
    lasts = marks - 1
    if returns:
        lasts[width - 1 :: width] -= 1
    begins = octets[marks[:-1] + 1]
    return not (
        _MAY_BEGIN_BLANK[octets[0]]
        or _MAY_BEGIN_BLANK[begins].any()
        or _MAY_END_BLANK[octets[np.maximum(lasts, 0)]].any()
    )


def _quoted_lines(octets: Octets, separator: int, width: int) -> Regular | None:
    ends, cuts = np.flatnonzero(octets == _END), np.flatnonzero(octets == separator)
    quotes = np.flatnonzero(octets == _QUOTE)
    if len(quotes) % 2 or not _quotes_in_place(octets, quotes, separator):
        return None
    # An odd number of quotes before a place puts it inside a quoted field.
    if (np.searchsorted(quotes, ends) & 1).any():
        return None
    cuts = cuts[np.searchsorted(quotes, cuts) & 1 == 0]
    if len(cuts) != len(ends) * (width - 1):
        return None
    by_line = cuts.reshape(len(ends), width - 1)
    whole = (by_line[:, -1] < ends).all() and (by_line[1:, 0] > ends[:-1]).all()
    return Regular(len(ends), bare=False, longest=_longest(ends)) if whole else None


def _quotes_in_place(octets: Octets, quotes: npt.NDArray[np.int64], separator: int) -> bool:
    """Tell whether each quote opens after a separator or an end of line, or closes before one, or is doubled."""
    opening, closing = quotes[0::2], quotes[1::2]
    limits = _listed(separator, _END, _RETURN, _QUOTE)
    before = limits[octets[np.maximum(opening - 1, 0)]] | (opening == 0)
    return bool(before.all() and limits[octets[np.minimum(closing + 1, len(octets) - 1)]].all())
