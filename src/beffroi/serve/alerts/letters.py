"""What one who is told reads: a message at her address, a sentence on her devices; in her language."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.base.territory import queries as territories
from beffroi.serve.alerts.audience import PAGES
from beffroi.serve.alerts.definition import SEVERITIES, URGENCIES, Content, content_of
from beffroi.serve.alerts.models import ALERT, CANCEL, END, UPDATE, Issue
from beffroi.serve.cases.audiences import Addressee
from beffroi.serve.cases.mails import domain_of, message_to, page_url
from beffroi.serve.cases.push.devices import devices_of_topic
from beffroi.serve.cases.push.telling import plan

MOST_SHOWN = 200


def subject(kind: str, content: Content, territory: str, language: str) -> str:
    """Return how an issue is announced, in the language in force."""
    town, title = territories.territory(territory).name, content.said(language)[0]
    if content.is_message and kind in (ALERT, UPDATE):
        return _("{town} : {title}").format(town=town, title=title)
    pattern = {
        ALERT: _("Alerte à {town} : {title}"),
        UPDATE: _("Alerte à {town}, mise à jour : {title}"),
        END: _("Fin d’alerte à {town} : {title}"),
        CANCEL: _("Annulé, envoyé par erreur à {town} : {title}"),
    }[kind]
    return pattern.format(town=town, title=title)


def paragraphs(kind: str, content: Content, territory: str, language: str, reason: str = "") -> list[str]:
    """Return what an issue says, paragraph by paragraph, in the language in force."""
    _title, text, instruction = content.said(language)
    if kind in (END, CANCEL):
        mistake = _("Cette alerte a été envoyée par erreur : n’en tenez pas compte.")
        return [one for one in (_("C’est fini.") if kind == END else mistake, reason) if one]
    words = [text]
    if instruction:
        words.append(_("Que faire : {what}").format(what=instruction))
    where = content.place or _("toute la commune")
    words.append(_("Où : {where}. {when}").format(where=where, when=when(content, territory)))
    if not content.is_message:
        told = _(SEVERITIES[content.severity]).lower()
        words.append(_("Gravité : {severity}. {urgency}.").format(severity=told, urgency=_(URGENCIES[content.urgency])))
    return words


def when(content: Content, territory: str) -> str:
    """Return from when until when, in words."""
    zone = clock.timezone_of(territory)
    until = f"{content.until.astimezone(zone):%d/%m/%Y, %H:%M}"
    if content.starts_at is None:
        return _("Jusqu’au {until}.").format(until=until)
    start = f"{content.starts_at.astimezone(zone):%d/%m/%Y, %H:%M}"
    return _("Du {start} au {until}.").format(start=start, until=until)


def letter(made: Issue, who: str, to: Addressee) -> EmailMessage:
    """Return the message of an issue to one address; the same each time, down to its ``Message-ID``."""
    alert, content = made.alert, content_of(made.content)
    page = page_url(alert.territory, PAGES["alert"], str(alert.pk))
    domain = domain_of(alert.territory)
    with translation.override(to.language):
        words = [
            *paragraphs(made.kind, content, alert.territory, to.language, alert.reason),
            _("Cette alerte et les suivantes : {url}").format(url=page),
            _("Vous recevez ce message parce que vous suivez : {what}.").format(what=to.why()),
            _("Choisir ce que vous suivez, ou tout arrêter : {url}").format(url=to.manage_url),
            territories.territory(alert.territory).name,
        ]  # fmt: skip
        message = message_to(to.email, to.language, subject(made.kind, content, alert.territory, to.language), words)
    message.extra_headers |= {
        "Message-ID": f"<alert-{alert.pk}.{made.rank}-{who.replace(':', '-')}@{domain}>",
        "References": f"<alert-{alert.pk}@{domain}>",
        **to.headers,
    }
    return message


def tell_devices(made: Issue, to: Addressee, *, at: datetime) -> int:
    """Plan a notification on each device of one who is told, and return how many; an alert is public, so it shows."""
    if not settings.PUSH or not to.device_topic:
        return 0
    alert, content = made.alert, content_of(made.content)
    devices = devices_of_topic(to.device_topic)
    for device in devices:
        with translation.override(device.language):
            title = subject(made.kind, content, alert.territory, device.language)
            words = paragraphs(made.kind, content, alert.territory, device.language, alert.reason)
        plan(
            device, event=made.event, tag=f"alert-{alert.pk}", title=title, text=Truncator(words[0]).chars(MOST_SHOWN),
            path=_path(alert.pk), at=at,
        )  # fmt: skip
    return len(devices)


def _path(number: int) -> str:
    try:
        return reverse(PAGES["alert"], args=[number])
    except NoReverseMatch:
        return ""
