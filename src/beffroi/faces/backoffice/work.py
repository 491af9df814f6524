"""My work today: what awaits an agent, told by whoever knows it, the most pressing first.

A page of the back office adds its own by a source, in a module that its addresses import:

    @work_source("reports")
    def waiting_reports(request: Request) -> Iterable[WorkCard]:
        late = queries.late_reports(request.viewer, request.commune.code)
        yield WorkCard(_("Signalements en retard"), len(late), reverse("backoffice:reports"), Urgency.LATE)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.faces.shell.access import Request


class Urgency(IntEnum):
    """How pressing: LATE is past its term, TODAY is for today, SOON may wait a few days, INFO is to be known."""

    LATE = 0
    TODAY = 1
    SOON = 2
    INFO = 3


URGENCY_WORDS = {
    Urgency.LATE: (gettext_noop("En retard"), "bad"),
    Urgency.TODAY: (gettext_noop("Aujourd’hui"), "warn"),
    Urgency.SOON: (gettext_noop("Bientôt"), "wait"),
    Urgency.INFO: (gettext_noop("À savoir"), "done"),
}


@dataclass(frozen=True, slots=True)
class WorkCard:
    """Something that awaits: what, how many, where it is done, how pressing, and a word more."""

    label: str
    count: int
    url: str
    urgency: Urgency = Urgency.SOON
    detail: str = ""

    @property
    def word(self) -> str:
        """Return the urgency in the reader's words."""
        return _(URGENCY_WORDS[self.urgency][0])

    @property
    def kind(self) -> str:
        """Return the kind of the status tag (see `shell/components/status.html`)."""
        return URGENCY_WORDS[self.urgency][1]


Source = Callable[[Request], Iterable[WorkCard]]
_sources: dict[str, Source] = {}


def work_source(name: str) -> Callable[[Source], Source]:
    """Register a function that yields the cards of one subject; the same `name` replaces the former one."""

    def register(source: Source) -> Source:
        _sources[name] = source
        return source

    return register


def work_of_today(request: Request) -> list[WorkCard]:
    """Return what awaits this reader in the commune of the page; what counts nothing is not shown."""
    if request.commune is None:
        return []
    cards = [card for source in _sources.values() for card in source(request) if card.count]
    return sorted(cards, key=lambda card: (card.urgency, -card.count, card.label))
