"""The table of a use case that is a directory: a new directory is this table, no code.

[directory]
datasets = ["deliberations"]            # whose rows are the sheets
title    = ["delib_objet"]              # columns of the title, joined by a space
about    = ["delib_matiere_nom"]        # told under it in the list
words    = ["delib_id"]                 # searched besides what is told
order    = "recent"                     # by `day`, the latest first; else "name"
day      = "delib_date"
together = ["identifiant"]              # rows alike in these are one sheet, each a place of it
place    = ["raison_sociale", "voie"]   # what is told of each place
address  = ["numero", "voie"]           # finds where a row is when it does not say
hours    = "horaires_accueil"           # `open now` is then proposed
nearest  = true                         # near which address? by the time of the walk
paper    = "delib_url"                  # the address of a PDF: kept, and its text searched
description = "…"                          # said at the foot: a law, a caution

[directory.vote]                        # the columns of a vote, drawn on the sheet; facet kind "vote"
[directory.venue]                       # the doors of the places, from acceslibre; facet kind "door"

[directory.wanted]                      # what people lack, listed where no sheet gives it near (see `missing`)

kept  = "fiches-tenues"                 # what owners say of their sheet, laid over its row as columns `tenu_…`
labels = { tenu_description = "Activités" } # how columns are called, where their dataset does not say it well

[[directory.sources]]                   # of datasets that do not name things alike, or of which not all is told
dataset = "associations"
only    = { position = "A" }            # rows of which a column has this value; "a|b": one of them, "*": any
columns = { nom = "titre", rubrique = "'Associations'", horaires = "tenu_horaires | ouverture" }
values  = { rubrique = { "47" = "shop", "*" = "firm" } } # other values for those of a column; "*": for the rest
seat    = "numero + type + voie"        # columns of agents only: its district is told, never the address

[directory.dates]                       # sheets are events: when, coming ones first, iCalendar; see `Dates`
start = "debut"

[directory.booklet]                     # printed as a booklet (PDF), a chapter for each value of a facet
by = "rubrique"

[[directory.facets]]
name  = "annee"
label = "Année"
kind  = "year"                          # value, list (several in a cell), year, vote, door, district; and typed by
                                        # the reader: age (columns of the least and the most), most (a price)
columns = ["delib_date"]
"""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ENGINE = "directory"
FacetKind = Literal["value", "list", "year", "vote", "door", "district", "age", "most"]
MADE_KINDS = ("vote", "door", "district")
"""Facets whose values are worked out, not read in a column."""

TYPED_KINDS = ("age", "most")
"""Facets for which the reader types a number, instead of choosing a value."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Facet(_Frozen):
    """One way to sort sheets out: the values of a column, each with how many sheets have it.

    `choices` say coded values. `columns`: the first that is not empty counts.
    """

    name: str = Field(pattern=r"[a-z][a-z0-9-]*")
    label: str = Field(min_length=1)
    kind: FacetKind = "value"
    columns: tuple[str, ...] = ()
    choices: dict[str, str] = {}

    @model_validator(mode="after")
    def _has_columns(self) -> Self:
        if bool(self.columns) == (self.kind in MADE_KINDS):
            raise ValueError(f"facet {self.name!r}: `columns` goes with value, list and year, and with them only")
        return self


class Vote(_Frozen):
    """The columns of a vote: how many for, against, abstaining, of how many voters."""

    in_favour: str
    against: str
    abstained: str
    voters: str = ""


class Venue(_Frozen):
    """The dataset of doors, by the national acceslibre schema, found by the same street address as the place."""

    dataset: str = "acceslibre"
    number: str = "numero"
    street: str = "voie"


class Dates(_Frozen):
    """When a sheet happens: columns of its start, its end, its rule of recurrence (RRULE); without a start, always."""

    start: str
    end: str = ""
    rule: str = ""


class Booklet(_Frozen):
    """The directory on paper: a chapter for each value of the facet `by`, its index, the numbers one needs."""

    by: str


class Wanted(_Frozen):
    """What people lack: the `dataset` of needs and the use case that takes them; the services are those of `column`.

    A need is answered where a sheet of the directory gives that service within `within_m` metres.
    """

    dataset: str
    use_case: str
    column: str = "services"
    street: str = "adresse"
    within_m: float = Field(default=800.0, ge=100, le=5000)


_ONE = r"(?:'[^'|+]+'|[a-z0-9_]+)"
_MADE_OF = re.compile(rf"{_ONE}(?: [+|] {_ONE})*")


class Source(_Frozen):
    """How the rows of one dataset are read: which, and under which names.

    A column is made of others: `a + b` joined by a space, `a | b` the first that says something, `'…'` as it is.
    """

    dataset: str
    only: dict[str, str] = {}
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    seat: str = ""

    @model_validator(mode="after")
    def _is_read(self) -> Self:
        for text in (*self.columns.values(), *([self.seat] if self.seat else [])):
            if not _MADE_OF.fullmatch(text):
                raise ValueError(f"{text!r} is not made of columns: write `a + b`, `a | b` or `'words'`")
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the columns of the dataset that are read, but for those of the seat."""
        made = [key for text in self.columns.values() for key in names_in(text)]
        return tuple(dict.fromkeys((*self.only, *made)))


def names_in(text: str) -> list[str]:
    """Return the columns an expression is made of.

    >>> names_in("tenu_nom | prenom + nom | 'Sans nom'")
    ['tenu_nom', 'prenom', 'nom']
    """
    return [part for part in re.split(r" [+|] ", text) if not part.startswith("'")]


class DirectorySettings(_Frozen):
    """See the module."""

    datasets: tuple[str, ...] = Field(min_length=1)
    title: tuple[str, ...] = Field(min_length=1)
    about: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    order: Literal["recent", "name"] = "name"
    day: str = ""
    together: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    hours: str = ""
    nearest: bool = False
    paper: str = ""
    description: str = ""
    vote: Vote | None = None
    venue: Venue | None = None
    wanted: Wanted | None = None
    booklet: Booklet | None = None
    dates: Dates | None = None
    kept: str = ""
    labels: dict[str, str] = {}
    sources: tuple[Source, ...] = ()
    facets: tuple[Facet, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        names = [one.name for one in self.facets]
        if len(set(names)) != len(names):
            raise ValueError("two facets have the same name")
        if self.order == "recent" and not self.day:
            raise ValueError('order = "recent" needs `day`, the column of the date')
        kinds = {one.kind for one in self.facets}
        if ("vote" in kinds and self.vote is None) or ("door" in kinds and self.venue is None):
            raise ValueError("a facet of kind vote, or door, needs the table [directory.vote], or [directory.venue]")
        if self.booklet is not None and self.booklet.by not in names:
            raise ValueError(f"[directory.booklet] by = {self.booklet.by!r} is no facet")
        apart = [one.dataset for one in self.sources if one.dataset not in self.datasets]
        if apart:
            raise ValueError(f"[[directory.sources]] {apart[0]!r} is not among `datasets`")
        if self.venue is not None and not self.address:
            raise ValueError("[directory.venue] needs `address`: doors are found by the address of the place")
        return self

    @property
    def moments(self) -> tuple[str, ...]:
        """Return the columns that say when."""
        return (self.dates.start, self.dates.end, self.dates.rule) if self.dates else ()

    @property
    def is_located(self) -> bool:
        """Tell whether places are found by an address."""
        return bool(self.address) or any(one.seat for one in self.sources)

    def source(self, slug: str) -> Source:
        """Return how a dataset is read: as it is when nothing says otherwise."""
        return next((one for one in self.sources if one.dataset == slug), Source(dataset=slug))

    @property
    def columns(self) -> tuple[str, ...]:
        """Return every column read or made, once."""
        vote = (self.vote.in_favour, self.vote.against, self.vote.abstained, self.vote.voters) if self.vote else ()
        facets = [key for one in self.facets for key in one.columns]
        several = (*self.title, *self.about, *self.words, *self.told, *self.together, *self.place, *self.address)
        every = (*several, *facets, *vote, self.day, self.hours, self.paper, *self.moments)
        return tuple(dict.fromkeys(key for key in every if key))
