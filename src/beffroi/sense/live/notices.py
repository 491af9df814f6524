"""The service of a sensor is told by a message when it falls silent, and when a threshold that alerts is crossed."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _

from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory import queries as territories
from beffroi.sense.live import events
from beffroi.sense.live.settings import settings_of

KINDS = (events.SILENT, events.LEVEL_CROSSED)


def tell_service(event: RecordedEvent) -> None:
    """Write to the agents of the service, the administrators where it has none. A message not sent is tried again."""
    told = event.payload
    if event.kind == events.LEVEL_CROSSED and not told["alert"]:
        return
    rules = settings_of(str(told.get("use_case", "")))
    service = str(told["service"]) or (rules.service if rules is not None else "")
    people = territories.agents_of(event.territory, service, at=event.at) if service else []
    people = people or territories.administrators_of(event.territory, at=event.at)
    with translation.override(settings.LANGUAGE_CODE):
        subject, words = _silent(event) if event.kind == events.SILENT else _crossed(event)
        body = "\n\n".join(filter(None, [words, _page(event)])) + "\n"
    for address in dict.fromkeys(one.email for one in people):
        message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
        message.extra_headers = {"Auto-Submitted": "auto-generated", "Content-Language": settings.LANGUAGE_CODE}
        message.send()


def _town(event: RecordedEvent) -> str:
    return territories.territory(event.territory).name


def _silent(event: RecordedEvent) -> tuple[str, str]:
    return (
        _("{town} : un capteur ne répond plus").format(town=_town(event)),
        _(
            "« {name} » n’a rien envoyé depuis plus longtemps que d’habitude. Vérifiez sa pile, son réseau, son "
            "passeur. Ce message n’est envoyé qu’une fois par silence."
        ).format(name=event.payload["name"]),
    )


def _crossed(event: RecordedEvent) -> tuple[str, str]:
    told = event.payload
    return (
        _("{town} : {name}, {label}").format(town=_town(event), name=told["name"], label=told["label"]),
        _("{property} de « {name} » : {result} {unit}, niveau « {label} ».").format(
            property=told["property"], name=told["name"], result=f"{float(told['result'] or 0):g}", unit=told["unit"],
            label=told["label"],
        ),
    )  # fmt: skip


def _page(event: RecordedEvent) -> str:
    try:
        path = reverse("portal:sensor", args=[event.payload["thing"]])
    except NoReverseMatch:
        return ""
    return f"{settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL}://{territories.domain_of(event.territory)}{path}"
