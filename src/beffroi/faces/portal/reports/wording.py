"""How reports are told to residents: states, ages, readers, what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from beffroi.base.clock import queries as clock
from beffroi.faces.shell.requests import age as age
from beffroi.faces.shell.requests import last_moment, service_names, step_title
from beffroi.faces.shell.requests import state_of as state_of
from beffroi.serve.cases.definition import Access, Outcome, Status
from beffroi.serve.cases.queries import CaseInfo, Entry
from beffroi.serve.reports.categories import Category

TONES = {
    Status.RECEIVED: "warn",
    Status.ACCEPTED: "info",
    Status.WAITING: "warn",
    Status.SCHEDULED: "info",
    Status.CLOSED: "good",
}
WRITERS = {
    "service": gettext_noop("Le service"),
    "you": gettext_noop("Vous"),
    "requester": gettext_noop("Un habitant"),
}


def tone_of(case: CaseInfo) -> str:
    """Return the colour of a state: good, warn, or none."""
    if case.status is Status.CLOSED and case.outcome is not Outcome.DONE:
        return ""
    return TONES.get(case.status, "")


def service_name(territory: str, slug: str) -> str:
    """Return the name of a service of a town, its slug when the town has not named it."""
    return service_names(territory).get(slug, slug)


def readers_of(category: Category, service: str) -> str:
    """Return who will read a report of a category, and when it is public."""
    if category.access is Access.SERVICE:
        return _(
            "Lu seulement par le service « {service} » et par vous. Jamais publié, jamais compté en public."
        ).format(service=service)
    if category.access is Access.AGENTS:
        return _("Lu seulement par les agents de la commune et par vous. Jamais publié.")
    if category.publish == "at-once":
        return _("Public dès l’envoi, avec vos mots et vos photos. Votre e-mail ne l’est jamais.")
    return _(
        "Le lieu et la catégorie sont publics dès l’envoi ; vos mots et vos photos, une fois lus par le service "
        "« {service} ». Votre e-mail ne l’est jamais."
    ).format(service=service)


@dataclass(frozen=True, slots=True)
class Promise:
    """By when the town answers, and by what rule."""

    due_at: datetime
    rule: str
    article: str

    @property
    def by(self) -> str:
        """Return the last instant as people say it."""
        return last_moment(self.due_at)


def promise(case: CaseInfo, category: Category | None) -> Promise | None:
    """Return what the town owes on an open report, None when its category promises nothing."""
    if case.due_at is None or category is None or not category.due or not case.is_open:
        return None
    rule = clock.rule(category.due)
    version = rule.version_on(case.opened_at.date())
    return Promise(case.due_at, rule.title, version.article)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history as it is read."""

    at: datetime
    title: str
    text: str
    writer: str
    is_message: bool
    mine: bool


def history(entries: list[Entry], *, kind: str = "") -> list[Line]:
    """Return the history of a request as a resident reads it."""
    return [_line(one, kind) for one in entries]


def _line(one: Entry, kind: str) -> Line:
    if one.what in ("message", "note"):
        writer = _(WRITERS.get(one.by, WRITERS["service"]))
        return Line(one.at, _("{writer} écrit").format(writer=writer), one.text, writer, True, one.by == "you")
    return Line(one.at, step_title(one, kind=kind), one.text, "", False, one.by == "you")
