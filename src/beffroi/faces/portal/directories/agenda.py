"""When a sheet happens, in words and as a calendar one subscribes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.clock.recurring import moment_read
from beffroi.faces.portal.layers import Fact
from beffroi.faces.shell.calendars import Event
from beffroi.sense.places.directory import queries
from beffroi.sense.places.directory.queries import DirectorySettings, Sheet, Span


def when_words(at: datetime | None) -> str:
    """Return an instant as it is read; midnight is a whole day."""
    if at is None:
        return ""
    return date_format(at, "l j F Y" if at.time() == at.time().min else "l j F Y, H:i")


def when_facts(sheet: Sheet, settings: DirectorySettings, span: Span) -> tuple[Fact, ...]:
    """Return when a sheet happens next, until when, and whether it does again; that it is over, when it is."""
    if settings.dates is None:
        return ()
    (said, *_rest) = sheet.facets.get(queries.WHEN, ("",))
    begins, ends, rule = [*said.split(queries.SEPARATOR), "", ""][:3]
    start, end = moment_read(begins), moment_read(ends)
    if start is None:
        return ()
    coming = queries.next_time(said, span)
    if coming is None:
        return (Fact(_("Quand"), _("C’est passé : {when}").format(when=when_words(start))),)
    told = [Fact(_("Prochaine date") if rule else _("Quand"), when_words(coming))]
    if end is not None and end > start:
        told.append(Fact(_("Jusqu’à"), when_words(coming + (end - start))))
    return tuple(told)


def events_of(sheets: Iterator[tuple[Sheet, str]], settings: DirectorySettings, place: Any) -> Iterator[Event]:
    """Yield the events of a calendar, each with the address of its sheet; what has no date is no event."""
    for sheet, url in sheets:
        (said, *_rest) = sheet.facets.get(queries.WHEN, ("",))
        begins, ends, rule = [*said.split(queries.SEPARATOR), "", ""][:3]
        start, end = moment_read(begins), moment_read(ends)
        if start is not None:
            yield Event(
                f"{sheet.ref.slug}-{sheet.id}", start, end, sheet.title, place=place(sheet),
                description=" · ".join(sheet.about), url=url, rule=rule,
            )  # fmt: skip
