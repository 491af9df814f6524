"""A directory on paper: a booklet of A5 pages, a chapter for each theme, an index, the numbers one needs."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.kernel.words import folded

_PAGE = (420.0, 595.0)
_MARGIN, _TOP, _BOTTOM = 36.0, 545.0, 46.0
_WIDTH = _PAGE[0] - 2 * _MARGIN
_PLAIN, _BOLD = "Helvetica", "Helvetica-Bold"
_INK, _SOFT = "#1a1a1a", "#555555"
_COLUMN_WIDTH = (_WIDTH - 16) / 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the booklet: its name, and the lines told of it."""

    title: str
    lines: tuple[str, ...]
    chapter: str


@dataclass(frozen=True, slots=True)
class Cover:
    """What the first page says."""

    town: str
    title: str
    day: date
    note: str


@dataclass(slots=True)
class _Page:
    """One page: texts as (x, y, font, size, colour, words), and rules as (x, y, length)."""

    texts: list[tuple[float, float, str, float, str, str]] = field(default_factory=list)
    rules: list[tuple[float, float, float]] = field(default_factory=list)


def booklet_pdf(cover: Cover, entries: Iterable[Entry], numbers: Sequence[tuple[str, str, str]]) -> bytes:
    """Return the booklet as PDF. `numbers`: what to call, its name, what for."""
    # Read when a booklet is asked for: it takes a tenth of a second that no page should pay.
    from reportlab.pdfgen.canvas import Canvas

    chapters: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        chapters[one.chapter].append(one)
    names = sorted(chapters, key=folded)
    called = _numbers(numbers)
    # The contents are as many pages as their lines need, known before what they number.
    before = 1 + len(_contents([(name, 0) for name in ("", *names, "")]))
    body, starts, where = _chapters(names, chapters, before + len(called) + 1)
    numbered = [
        (_("Numéros utiles"), before + 1), *starts, (_("Index alphabétique"), before + len(called) + len(body) + 1)
    ]  # fmt: skip
    front = _cover(cover, sum(map(len, chapters.values())))
    pages = [front, *_contents(numbered), *called, *body, *_index(where)]
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=_PAGE, lang="fr", pageCompression=1)
    canvas.setTitle(cover.title)
    canvas.setAuthor(cover.town)
    for rank, page in enumerate(pages, start=1):
        _drawn(canvas, page, rank)
    canvas.save()
    return out.getvalue()


def _drawn(canvas: Any, page: _Page, rank: int) -> None:
    for x, y, length in page.rules:
        canvas.setStrokeColor("#b9b9b9")
        canvas.setLineWidth(0.5)
        canvas.line(x, y, x + length, y)
    for x, y, font, size, colour, words in page.texts:
        canvas.setFont(font, size)
        canvas.setFillColor(colour)
        canvas.drawString(x, y, words)
    if rank > 1:
        canvas.setFont(_PLAIN, 8)
        canvas.setFillColor(_SOFT)
        canvas.drawCentredString(_PAGE[0] / 2, 24, str(rank))
    canvas.showPage()


def _cover(cover: Cover, count: int) -> _Page:
    page = _Page()
    y = 430.0
    for words, font, size in ((cover.town, _PLAIN, 14), (cover.title, _BOLD, 24)):
        for line in _cut(words, font, size, _WIDTH):
            page.texts.append((_MARGIN, y, font, size, _INK, line))
            y -= size * 1.3
        y -= 12
    told = _("{n} fiches, au {day}").format(n=count, day=date_format(cover.day, "j F Y"))
    for words in (told, cover.note):
        for line in _cut(words, _PLAIN, 9, _WIDTH):
            page.texts.append((_MARGIN, y, _PLAIN, 9, _SOFT, line))
            y -= 12
        y -= 8
    return page


def _contents(chapters: Sequence[tuple[str, int]]) -> list[_Page]:
    flow = _Flow(_("Sommaire"))
    for name, number in chapters:
        flow.line(name or "-", _PLAIN, 11, right=str(number))
    return flow.pages


def _numbers(numbers: Sequence[tuple[str, str, str]]) -> list[_Page]:
    flow = _Flow(_("Numéros utiles"))
    for number, title, description in numbers:
        flow.block([(f"{number}  {title}", _BOLD, 10.5), (description, _PLAIN, 8.5)])
    return flow.pages


def _chapters(
    names: Sequence[str], chapters: Mapping[str, Sequence[Entry]], first: int
) -> tuple[list[_Page], list[tuple[str, int]], list[tuple[str, int]]]:
    """Return the pages, the page of each chapter, and the page of each entry by its name."""
    pages: list[_Page] = []
    starts, where = [], []
    for name in names:
        starts.append((name, first + len(pages)))
        flow = _Flow(name, columns=2)
        for one in chapters[name]:
            flow.block([(one.title, _BOLD, 9.5), *((line, _PLAIN, 8.5) for line in one.lines)])
            where.append((one.title, first + len(pages) + len(flow.pages) - 1))
        pages += flow.pages
    return pages, starts, where


def _index(where: Sequence[tuple[str, int]]) -> list[_Page]:
    flow = _Flow(_("Index alphabétique"), columns=2)
    for title, number in sorted(where, key=lambda one: folded(one[0])):
        flow.line(title, _PLAIN, 7.5, right=str(number), cut=True)
    return flow.pages


class _Flow:
    """Lines one under another, on as many pages, and in as many columns, as they need."""

    def __init__(self, title: str, *, columns: int = 1) -> None:
        self.pages: list[_Page] = []
        self._columns, self._title = columns, title
        self._column, self._y, self._start = columns, 0.0, _TOP
        self._next()

    def _next(self) -> None:
        """Go to the next column, or to a new page."""
        if self._column + 1 < self._columns:
            self._column, self._y = self._column + 1, self._start
            return
        page = _Page()
        self._column, self._y = 0, _TOP
        for line in _cut(self._title, _BOLD, 15, _WIDTH) if not self.pages else []:
            page.texts.append((_MARGIN, self._y, _BOLD, 15, _INK, line))
            self._y -= 19
        if not self.pages:
            page.rules.append((_MARGIN, self._y + 8, _WIDTH))
            self._y -= 8
        self._start = self._y
        self.pages.append(page)

    @property
    def _x(self) -> float:
        return _MARGIN + self._column * (_COLUMN_WIDTH + 16)

    @property
    def _width(self) -> float:
        return _WIDTH if self._columns == 1 else _COLUMN_WIDTH

    def line(self, words: str, font: str, size: float, *, right: str = "", cut: bool = False) -> None:
        """Write one line, with a number at its end."""
        width = self._width - 28
        lines = _cut(words, font, size, width)
        for rank, one in enumerate(lines[:1] if cut else lines):
            if self._y - size < _BOTTOM:
                self._next()
            page = self.pages[-1]
            page.texts.append((self._x, self._y, font, size, _INK, f"{one}…" if cut and len(lines) > 1 else one))
            if rank == 0 and right:
                end = self._x + width + 28 - _length(right, font, size)
                page.texts.append((end, self._y, font, size, _INK, right))
            self._y -= size * 1.35

    def block(self, told: Sequence[tuple[str, str, float]]) -> None:
        """Write lines that stay together on a page."""
        lines = [(one, font, size) for words, font, size in told for one in _cut(words, font, size, self._width)]
        if self._y - sum(size * 1.28 for _words, _font, size in lines) < _BOTTOM:
            self._next()
        for words, font, size in lines:
            colour = _INK if font == _BOLD else _SOFT
            self.pages[-1].texts.append((self._x, self._y, font, size, colour, words))
            self._y -= size * 1.28
        self._y -= 5


def _cut(words: str, font: str, size: float, width: float) -> list[str]:
    """Return the lines of a text; what the fonts of every printer lack is left out."""
    from reportlab.lib.utils import simpleSplit

    plain = words.replace("\u202f", " ").encode("cp1252", "ignore").decode("cp1252")
    lines: list[str] = simpleSplit(plain, font, size, width) if plain.strip() else []
    return lines


def _length(words: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    length: float = stringWidth(words, font, size)
    return length


def entries_of(
    sheets: Iterable[Any], by: str, *, chapter: Callable[[str], str], lines: Callable[[Any], Sequence[str]]
) -> Iterable[Entry]:
    """Yield an entry for each sheet and each chapter it stands in, in the order of the directory."""
    for one in sheets:
        told = tuple(lines(one))
        for value in one.facets.get(by, ()) or ("",):
            yield Entry(one.title, told, chapter(value) if value else _("Autres"))
