"""Count from its octets what the columns of a regular text hold: values, whole numbers, decimals, days, places.

Nothing is made a text to be looked at, hence half a second of processor per million lines where asking the database
takes two. What is found here is certain; what is not found is for `profile` to ask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from beffroi.lake.detect.values import DAY, DECIMAL, NUMBER_FORMS, WHOLE
from beffroi.lake.reading import ColumnType

Octets = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]
_Floats = npt.NDArray[np.float64]

_HYPHEN, _PLUS, _QUOTE = 45, 43, 34
_LONGEST = 18


def _of_octets(*octets: int) -> np.uint64:
    return np.uint64(int.from_bytes(octets, "little"))


_ONE, _4, _8, _100, _400, _10_000 = map(np.uint64, (1, 4, 8, 100, 400, 10_000))
_ZEROS, _POINTS, _SEVENS, _TOPS, _ABOVE_NINE = (_of_octets(*[octet] * 8) for octet in (48, 46, 127, 128, 118))
_LAST = np.array([(1 << 64) - (1 << 64 - 8 * length) for length in range(9)], dtype=np.uint64)
"""What keeps the last octets of eight: none to all of them."""
_EIGHT = tuple(
    (_of_octets(*kept), np.uint64(factor), np.uint64(shift))
    for kept, factor, shift in (
        ([15] * 8, 2_561, 8),
        ([255, 0] * 4, 6_553_601, 16),
        ([255, 255, 0, 0] * 2, 42_949_672_960_001, 32),
    )
)
_IN_DAY, _HYPHENS = _of_octets(0, 0, 0, 0, 255, 0, 0, 255), _of_octets(0, 0, 0, 0, 45, 0, 0, 45)
_YEAR, _MONTH = _of_octets(255, 255, 255, 255), _of_octets(0, 0, 0, 0, 255, 255)
_DAY_OF_MONTH = _of_octets(0, 0, 0, 0, 0, 0, 255, 255)
"""Where the figures of a day stand, once the first hyphen is left out."""
_LEAP_DAY = np.uint64(229)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_OF_YEAR = np.zeros(10_000, dtype=bool)
_DAYS_OF_YEAR[[100 * (month + 1) + day + 1 for month, length in enumerate(_LENGTHS) for day in range(length)]] = True
_ALL_EIGHT = np.array(8, dtype=np.intp)
_POWERS = 10 ** np.arange(8, dtype=np.uint64)
_TYPES = {WHOLE: ColumnType.INTEGER, DECIMAL: ColumnType.NUMBER, DAY: ColumnType.DATE}
_READ = re.compile(next(form.pattern for form in NUMBER_FORMS if form.name == DECIMAL).encode())
"""How a decimal may be written, exponents included: what figures and a point do not tell is read one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is asked of a text: which columns (by place) may be of which form, which two are degrees, where expected.

    `area` is west, south, east, north.
    """

    forms: Mapping[int, str]
    places: tuple[int, int] | None = None
    area: tuple[float, float, float, float] | None = None


@dataclass(slots=True)
class Tally:
    """What lines hold: how many hold something, how many do in each column, the columns all of whose values are of the
    form `watched`. `blank` are the lines that hold nothing, by parts: their ranks, of `lines` in all.

    Of those that are places (see `profile.Places`): how many are given, on the globe and out of the area, west, south,
    east, north, and `points`, one per line, by parts. No `points`: they could not be told.
    """

    watched: Watched
    rows: int
    filled: npt.NDArray[np.int64]
    read: set[int]
    lines: int
    blank: list[Positions]
    given: int = 0
    placed: int = 0
    outside: int = 0
    sides: tuple[float, float, float, float] = (np.inf, np.inf, -np.inf, -np.inf)
    points: list[npt.NDArray[np.float32]] | None = None

    def add(self, other: Tally) -> Tally:
        """Count the lines of `other`, which follow these, and return it."""
        self.blank += [some + self.lines for some in other.blank if len(some)]
        self.lines += other.lines
        self.rows += other.rows
        self.filled += other.filled
        self.read &= other.read
        self.given, self.placed = self.given + other.given, self.placed + other.placed
        self.outside += other.outside
        lows, highs = map(min, self.sides[:2], other.sides[:2]), map(max, self.sides[2:], other.sides[2:])
        self.sides = (*lows, *highs)  # type: ignore[assignment]
        if self.points is None or other.points is None:
            self.points = None
        else:
            self.points += other.points
        return self

    def type_of(self, column: int) -> ColumnType | None:
        """Return the type that every value of a column is plainly of, None when that is not certain."""
        return _TYPES[self.watched.forms[column]] if column in self.read else None

    def blank_lines(self) -> Positions:
        """Return the ranks of the lines that hold nothing."""
        return np.concatenate(self.blank)

    def placed_at(self) -> npt.NDArray[np.float32] | None:
        """Return where each line is (n, 2), NaN nowhere; None when that could not be told."""
        return None if self.points is None else np.concatenate(self.points)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of whole lines: `ends` (width, n) says where those of each column end, `first` where each line begins.

    `before` holds, at each place, the octet before it (0 at the first), `words` the eight before it as one number, of
    which the last weighs most.
    """

    octets: Octets
    before: Octets
    words: Words
    first: Positions
    ends: Positions

    def of(self, column: int) -> tuple[Positions, Positions]:
        """Return where the fields of a column begin and end."""
        return self.ends[column - 1] + 1 if column else self.first, self.ends[column]

    def filled(self, column: int) -> tuple[Positions, Positions]:
        """Return where the fields of a column that hold something begin and end."""
        begins, ends = self.of(column)
        some = ends > begins
        return (begins, ends) if some.all() else (begins[some], ends[some])


def tally(fields: Fields, watched: Watched, *, quoted: bool = False) -> Tally:
    """Count what lines hold; what is `quoted` may be empty too."""
    full = np.stack([np.greater(ends, begins) for begins, ends in map(fields.of, range(len(fields.ends)))])
    if quoted:
        for some, (begins, ends) in zip(full, map(fields.of, range(len(fields.ends))), strict=True):
            some &= (ends - begins != len('""')) | (fields.octets[begins] != _QUOTE)
    blank = np.flatnonzero(~full.any(axis=0))
    lines = len(fields.first)
    found = Tally(watched, lines - len(blank), full.sum(axis=1), set(), lines, [blank])
    for column, form in watched.forms.items():
        if column in (watched.places or ()):
            continue
        begins, ends = fields.filled(column)
        if form == DAY:
            known = _are_days(fields, begins, ends)
        elif form == WHOLE:
            known = _are_whole(fields, begins, ends)
        else:
            known = _decimals(fields, begins, ends) is not None
        if known:
            found.read.add(column)
    if watched.places is not None:
        _measure(fields, found)
    return found


def _measure(fields: Fields, found: Tally) -> None:
    pair, numbers = found.watched.places or (0, 0), []
    for column in pair:
        begins, ends = fields.of(column)
        some = ends > begins
        read = _decimals(fields, begins[some], ends[some])
        if read is None:
            return
        whole = np.full(len(some), np.nan)
        whole[some] = read
        numbers.append(whole)
    found.read.update(pair)
    x, y = numbers
    with np.errstate(invalid="ignore"):
        given = np.isfinite(x) & np.isfinite(y) & ((x != 0) | (y != 0))
        placed = given & (np.abs(x) <= 180) & (np.abs(y) <= 90)
    found.given, found.placed = int(given.sum()), int(placed.sum())
    xs, ys = x[placed], y[placed]
    if len(xs):
        found.sides = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
    if found.watched.area is not None:
        west, south, east, north = found.watched.area
        found.outside = int((~((xs >= west) & (xs <= east) & (ys >= south) & (ys <= north))).sum())
    points = np.stack([x, y], axis=1).astype(np.float32)
    points[~placed] = np.nan
    found.points = [points]


def fields_of(octets: Octets, marks: Positions, width: int, *, returns: bool) -> Fields:
    """Return the fields, `width` a line, that end at `marks`, each line by a return too where there are `returns`."""
    behind = np.concatenate([np.zeros(8, dtype=np.uint8), octets])
    words: Words = np.ndarray(shape=(len(octets) + 1,), dtype="<u8", buffer=behind.data, strides=(1,))
    ends = np.ascontiguousarray(marks.reshape(-1, width).T)
    first = np.concatenate([np.zeros(1, dtype=np.intp), ends[-1, :-1] + 1])
    if returns:
        ends[-1] -= 1
    return Fields(octets, behind[7:], words, first, ends)


def _sound(words: Words, lengths: Positions) -> tuple[Words, npt.NDArray[np.bool_]]:
    """Return the last `lengths` (0 to 8) octets of words less that of a zero, and which words are figures there."""
    words = (words ^ _ZEROS) & _LAST[lengths]
    return words, (((words + _ABOVE_NINE) | words) & _TOPS) == 0


def _figures(words: Words, lengths: Positions) -> tuple[Words, npt.NDArray[np.bool_]]:
    """Return the numbers that the last `lengths` (0 to 8) octets of words write, and which are written in figures.

    Source: D. Lemire, « Quickly parsing eight digits », 2018.
    """
    words, sound = _sound(words, lengths)
    for kept, factor, shift in _EIGHT:
        words = ((words & kept) * factor) >> shift
    return words, sound


def _signed(octets: Octets, starts: Positions, ends: Positions) -> tuple[npt.NDArray[np.bool_], Positions]:
    """Return which of the fields, none empty, have a minus, and the length of each without its sign."""
    first = octets[starts]
    minus = first == _HYPHEN
    return minus, ends - starts - (minus | (first == _PLUS))


def _are_whole(fields: Fields, starts: Positions, ends: Positions) -> bool:
    """Tell whether all the fields are whole numbers of eighteen figures at most."""
    _, lengths = _signed(fields.octets, starts, ends)
    if not lengths.all() or (lengths > _LONGEST).any():
        return False
    while len(lengths):
        if not _sound(fields.words[ends], np.minimum(lengths, 8))[1].all():
            return False
        longer = lengths > 8
        ends, lengths = ends[longer] - 8, lengths[longer] - 8
    return True


def _decimals(fields: Fields, starts: Positions, ends: Positions) -> _Floats | None:
    """Return the numbers that the fields are, to the nearest; None unless all are written with a point or none.

    Eight figures, a point and seven more are a whole number that a float holds: divided, it is what others read.
    """
    minus, lengths = _signed(fields.octets, starts, ends)
    last = fields.words[ends]
    other = last ^ _POINTS
    points = ~(((other & _SEVENS) + _SEVENS) | other | _SEVENS) & _LAST[np.minimum(lengths, 8)]
    # How many octets follow the first point; -1 without one.
    after = 7 - (np.bitwise_count((points & (~points + _ONE)) - _ONE) >> 3).astype(np.intp)
    before, decimals = lengths - after - 1, np.maximum(after, 0)
    fraction, sound = _figures(last, decimals)
    whole, also = _figures(fields.words[ends - after - 1], np.clip(before, 0, 8))
    numbers: _Floats = (whole * _POWERS[decimals] + fraction) / _POWERS[decimals]
    numbers = np.where(minus, -numbers, numbers)
    for at in np.flatnonzero(~(sound & also) | (before > 8) | (before + decimals == 0)).tolist():
        text = fields.octets[starts[at] : ends[at]].tobytes()
        numbers[at] = float(text) if _READ.fullmatch(text) else np.nan
    return numbers if np.isfinite(numbers).all() else None


def _are_days(fields: Fields, starts: Positions, ends: Positions) -> bool:
    """Tell whether all the fields are days of the calendar, written as 2026-11-26 is."""
    if (ends - starts != 10).any():
        return False
    first, last = fields.words[starts + 8], fields.words[ends]
    if ((first & _IN_DAY) != _HYPHENS).any():
        return False
    numbers, sound = _figures((first & _YEAR) | ((first >> _8) & _MONTH) | (last & _DAY_OF_MONTH), _ALL_EIGHT)
    if not sound.all():
        return False
    years, days = np.divmod(numbers, _10_000)
    late = years[days == _LEAP_DAY]
    leap = (late % _4 == 0) & ((late % _100 != 0) | (late % _400 == 0))
    return bool((years > 0).all() and _DAYS_OF_YEAR[days.astype(np.intp)].all() and leap.all())
