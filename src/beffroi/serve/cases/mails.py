"""Messages to those who made or follow a request: a receipt, then each thing that happens, in their language.

The journal delivers at least once; a message carries the same ``Message-ID`` each time, so a reader shows one.
Its ``Reply-To`` holds the follow-up token: what is answered comes back into the thread (`replies`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from beffroi.base.clock import queries as clock
from beffroi.base.journal.events import RecordedEvent
from beffroi.base.territory import queries as territory
from beffroi.serve.cases import events, queries
from beffroi.serve.cases.definition import OUTCOME_TITLES, CaseNotFound
from beffroi.serve.cases.queries import CaseInfo, PartyInfo

logger = logging.getLogger(__name__)

FOLLOW_PAGES: dict[str, str] = {}
"""Of each kind of request, the name of the address where a token follows it; each room names its own."""

OWN_WORDS: dict[str, Callable[[RecordedEvent, CaseInfo, PartyInfo], str | None]] = {}
"""Of each kind of request, what its room says of an event, in the language in force; None: what is said of all."""

UNTOLD: dict[str, frozenset[str]] = {}
"""Of each kind of request, the events that are no news to those who made it, or that its room tells otherwise."""

NO_NEWS: dict[str, Callable[[RecordedEvent], bool]] = {}
"""Of each kind of request, what tells of one event whether it needs no message; each room names its own."""

MORE_AT_OPENING: dict[str, Callable[[CaseInfo], list[str]]] = {}
"""Of each kind of request, what else its acknowledgement of receipt must say; each room names its own."""


def tell_parties(event: RecordedEvent) -> None:
    """Hear what happens to requests and tell each party that left an address; heard twice, it sends twice the same."""
    for party in parties_to_tell(event):
        if address := party.email or _account_address(party):
            _send(event, party, address)


def parties_to_tell(event: RecordedEvent) -> list[PartyInfo]:
    """Return those for whom this event is news, whichever way they are told."""
    kind = str(event.payload["case_kind"])
    if event.kind in UNTOLD.get(kind, ()) or (kind in NO_NEWS and NO_NEWS[kind](event)):
        return []
    told = queries.told_parties(queries.case_id_of(str(event.payload["number"])))
    if event.kind == events.OPENED:
        told = [party for party in told if party.made_it and party.number == event.payload["number"]]
    if event.kind == events.JOINED:
        told = [party for party in told if party.number == event.payload["number"]]
    return [party for party in told if _concerns(event, party)]


def _account_address(party: PartyInfo) -> str:
    if party.person is None:
        return ""
    try:
        return territory.person(party.person).email
    except territory.UnknownPerson:
        return ""


def _concerns(event: RecordedEvent, party: PartyInfo) -> bool:
    """Tell whether there is something new for her: what a person did herself needs no message, but for the receipt."""
    return event.kind == events.OPENED or event.actor is None or event.actor != party.person


def _send(event: RecordedEvent, party: PartyInfo, address: str) -> None:
    try:
        info, _party = queries.followed_case(party.token)
    except CaseNotFound:
        return
    with translation.override(party.language):
        own = OWN_WORDS.get(info.kind)
        words = (own(event, info, party) if own else None) or _WORDS[event.kind](event, info, party)
        subject = _("Votre demande {number}").format(number=party.number)
        message = EmailMessage(subject, _letter(words, info, party), settings.DEFAULT_FROM_EMAIL, [address])
    message.extra_headers = {
        "Message-ID": f"<event-{event.id}.{party.id}@{domain_of(info.territory)}>",
        "References": f"<case-{party.number}@{domain_of(info.territory)}>",
        # No holiday answer to a machine.
        "Auto-Submitted": "auto-generated",
        "Content-Language": party.language,
    }
    if settings.EMAIL_REPLY:
        message.reply_to = [reply_address(party.token)]
    message.send()


def reply_address(token: str) -> str:
    """Return the address whose messages come back into the thread of a token."""
    local, _at, domain = settings.EMAIL_REPLY.partition("@")
    return f"{local}+{token}@{domain}"


def domain_of(code: str) -> str:
    """Return the domain that shows a town."""
    return territory.domain_of(code) or "localhost"


def _letter(words: str, info: CaseInfo, party: PartyInfo) -> str:
    parts = [words]
    if url := _follow_url(info, party):
        parts.append(_("Suivre cette demande, répondre ou ne plus être prévenu : {url}").format(url=url))
    if settings.EMAIL_REPLY:
        parts.append(_("Vous pouvez répondre à ce message : votre réponse rejoint la demande."))
    parts.append(territory.territory(info.territory).name)
    return "\n\n".join(parts) + "\n"


def _follow_url(info: CaseInfo, party: PartyInfo) -> str:
    path = follow_path(info, party)
    return path and f"{settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL}://{domain_of(info.territory)}{path}"


def follow_path(info: CaseInfo, party: PartyInfo) -> str:
    """Return the page where a party follows her request, "" where no face shows one."""
    try:
        return reverse(FOLLOW_PAGES.get(info.kind, ""), args=[party.token])
    except NoReverseMatch:
        return ""


def page_url(code: str, name: str, *args: str) -> str:
    """Return the whole address of a page of a town, as a message gives it; "" where no face shows that page."""
    try:
        path = reverse(name, args=args)
    except NoReverseMatch:
        return ""
    return f"{settings.ACCOUNT_DEFAULT_HTTP_PROTOCOL}://{domain_of(code)}{path}"


def one_click_end(url: str, *, list_id: str) -> dict[str, str]:
    """Return the headers by which a mailbox ends a subscription by itself, without a page (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-ID": f"<{list_id}>",
    }


def message_to(to: str, language: str, subject: str, words: Sequence[str]) -> EmailMessage:
    """Return a message that the house writes by itself, a paragraph for each of its `words`."""
    message = EmailMessage(subject, "\n\n".join(words) + "\n", settings.DEFAULT_FROM_EMAIL, [to])
    message.extra_headers = {"Auto-Submitted": "auto-generated", "Content-Language": language}
    return message


def local_day(info: CaseInfo, value: date) -> str:
    zone = clock.timezone_of(info.territory)
    local = value.astimezone(zone) if isinstance(value, datetime) else value
    return date_format(local, "j F Y", use_l10n=False)


# --- Words, by event --------------------------------------------------------------------------------------------------


def _opened(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    lines = [
        _("Votre demande est enregistrée le {day} sous le numéro {number}.").format(
            day=local_day(info, info.opened_at), number=info.number
        )
    ]
    if info.due_at is not None:
        lines.append(_("Réponse ou intervention attendue avant le {day}.").format(day=local_day(info, info.due_at)))
    if more := MORE_AT_OPENING.get(info.kind):
        lines += more(info)
    if info.description:
        lines.append(_("Vous avez écrit : {text}").format(text=info.description))
    return "\n".join(lines)


def _accepted(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    return _("Un agent a pris votre demande {number} en charge.").format(number=info.number)


def _written(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    return _("Le service vous écrit à propos de votre demande {number} :\n\n{text}").format(
        number=info.number, text=queries.message_text(int(str(event.payload["message"])))
    )


def _scheduled(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    return _("Une intervention est prévue le {day} pour votre demande {number}.").format(
        day=local_day(info, date.fromisoformat(str(event.payload["day"]))), number=info.number
    )


def _closed(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    outcome = _(OUTCOME_TITLES[info.outcome]) if info.outcome else ""
    words = _("Votre demande {number} est close ({outcome}).\n\n{text}").format(
        number=info.number, outcome=outcome, text=info.answer
    )
    if info.reopen_until is not None:
        words += "\n\n" + _("Si ce n’est pas réglé, vous pouvez la rouvrir jusqu’au {day}.").format(
            day=local_day(info, info.reopen_until)
        )
    return words


def _reopened(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    return _("Votre demande {number} est rouverte.").format(number=info.number)


def _joined(event: RecordedEvent, info: CaseInfo, party: PartyInfo) -> str:
    return _(
        "Votre demande {number} concerne la même chose que la demande {lead} : elles sont suivies ensemble, et vous "
        "serez prévenu de la suite."
    ).format(number=info.number, lead=info.lead)


_WORDS: Mapping[str, Callable[[RecordedEvent, CaseInfo, PartyInfo], str]] = {
    events.OPENED: _opened,
    events.ACCEPTED: _accepted,
    events.ASKED: _written,
    events.WRITTEN: _written,
    events.SCHEDULED: _scheduled,
    events.CLOSED: _closed,
    events.REOPENED: _reopened,
    events.JOINED: _joined,
}
KINDS = tuple(_WORDS)
