"""Sheets of directories kept by those they tell of: claimed on a proof, told by them, dated, given up.

Two proofs. A code sent to the address already known of the sheet: who reads it back keeps it, nobody else having read
that address. Else the word of an agent, who has looked. What a keeper says is public at once (`kept`): she answers for
it, and an agent may take the sheet back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare, salted_hmac

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory.viewer import SERVICE_PREFIX, Role, Viewer
from beffroi.serve.cases.words import clean_text
from beffroi.serve.offers import events
from beffroi.serve.offers.definition import BadOffer, OfferNotFound
from beffroi.serve.offers.engine import ClaimsSettings, claims_rules
from beffroi.serve.offers.known_addresses import known_address
from beffroi.serve.offers.models import ACCEPTED, ENDED, REFUSED, WAITING, Claim

MAIL, CHECK = "mail", "check"
MOST_WAITING = 5
MOST_TRIES = 5
CODE_HOURS = 24
CODE_FIGURES = 6

LIMITS = {"description": 600, "adresse": 160, "telephone": 30, "courriel": 254, "site_web": 200, "horaires": 200}
"""What a keeper may say of her sheet, and how long."""


@dataclass(frozen=True, slots=True)
class ClaimInfo:
    """A claim as its author, or the agent who looks, reads it. `kept_at` is when she last said what is told."""

    id: int
    use_case: str
    slug: str
    sheet: str
    title: str
    how: str
    proof: str
    state: str
    reason: str
    asked_at: datetime
    values: Mapping[str, str]
    lon: float | None
    lat: float | None
    kept_at: datetime | None
    is_taken: bool = False


def claim_sheet(
    viewer: Viewer, territory: str, use_case: str, *, slug: str, sheet: str, title: str, how: str, proof: str = "",
    at: datetime,
) -> int:  # fmt: skip
    """Ask to keep a sheet; asked again, it replaces what waits. By mail, a code leaves for the known address.

    Raises:
        Refused: nobody is signed in.
        BadOffer: sheets are not claimed here, no address is known, or too many wait from one person.
        BadCase: no proof said, or one that cannot be kept.
    """
    person = _person(viewer)
    rules = _rules(territory, use_case)
    if how == MAIL and not known_address(territory, slug, sheet, rules):
        raise BadOffer("aucune adresse n’est connue pour cette fiche", remedy="demandez à un agent de vérifier")
    said = clean_text(proof, where="proof", limit=600, required=how != MAIL)
    proved_by = MAIL if how == MAIL else CHECK
    told = {"how": proved_by, "proof": said, "asked_at": at, "title": title[:300], "tries": 0,
            "nonce": secrets.token_hex(16) if how == MAIL else ""}  # fmt: skip
    with transaction.atomic():
        mine = Claim.objects.select_for_update().filter(territory=territory, person=person)
        open_one = mine.filter(slug=slug, sheet=sheet, state__in=(WAITING, ACCEPTED)).first()
        if open_one is not None and open_one.state == ACCEPTED:
            return int(open_one.pk)
        if open_one is None and mine.filter(state=WAITING).count() >= MOST_WAITING:
            raise BadOffer("{n} de vos demandes attendent déjà", remedy="attendez une réponse", n=MOST_WAITING)
        if how == MAIL and mine.filter(how=MAIL, asked_at__gt=at - timedelta(days=1)).count() >= MOST_WAITING:
            raise BadOffer("trop de codes demandés aujourd’hui", remedy="demandez à un agent de vérifier")
        if open_one is None:
            row = Claim.objects.create(
                territory=territory, use_case=use_case, slug=slug, sheet=sheet, person_id=person, **told
            )
        else:
            # The former code says nothing any more.
            row = open_one
            Claim.objects.filter(pk=row.pk).update(**told, use_case=use_case)
        _record(row, events.CLAIMED, {"use_case": use_case, "how": proved_by}, by=person, at=at)
    return int(row.pk)


def code_of(number: int, nonce: str) -> str:
    """Return the code of a claim: the same each time, so that a message sent twice says one thing."""
    made = int(salted_hmac("beffroi.claims", f"{number}:{nonce}").hexdigest(), 16)
    return f"{made % 10**CODE_FIGURES:0{CODE_FIGURES}d}"


def confirm_claim(viewer: Viewer, number: int, *, code: str, at: datetime) -> None:
    """Read back the code sent to the known address: the sheet is hers, and nobody else's.

    Raises:
        OfferNotFound: no such claim of hers waits for a code.
        BadOffer: not the code, too late, or tried too often.
    """
    with transaction.atomic():
        row = Claim.objects.select_for_update().filter(pk=number, person=_person(viewer), state=WAITING, how=MAIL)
        found = row.first()
        if found is None:
            raise OfferNotFound("aucun code n’est attendu", remedy="demandez-en un nouveau")
        late = at - found.asked_at > timedelta(hours=CODE_HOURS) or found.tries >= MOST_TRIES
        right = not late and constant_time_compare(code.replace(" ", ""), code_of(found.pk, found.nonce))
        if right:
            _accept(found, by=found.person_id, how=MAIL, at=at)
        elif not late:
            row.update(tries=found.tries + 1)
    if late:
        raise BadOffer("ce code ne vaut plus", remedy="demandez-en un nouveau")
    if not right:
        raise BadOffer("ce n’est pas le code envoyé", where="code", remedy="recopiez les six chiffres du message")


def accept_claim(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Give a sheet to who asked for it, once an agent has looked; who kept it before does no more.

    Raises:
        OfferNotFound: none waits under this number.
        Refused: it is another service's to answer.
    """
    with transaction.atomic():
        _accept(_to_decide(viewer, number, WAITING), by=viewer.person_id, how=CHECK, at=at)


def refuse_claim(viewer: Viewer, number: int, *, reason: str, at: datetime) -> None:
    """Leave a sheet where it is, with the reason its author reads; a sheet already kept is taken back.

    Raises:
        OfferNotFound: none waits, or is kept, under this number.
        Refused: it is another service's to answer.
        BadCase: no reason.
    """
    with transaction.atomic():
        row = _to_decide(viewer, number, WAITING, ACCEPTED)
        said = clean_text(reason, where="reason", limit=200, required=True)
        Claim.objects.filter(pk=row.pk).update(state=REFUSED, decided_at=at, reason=said)
        _record(row, events.CLAIM_DECIDED, {"how": REFUSED, "by": "agent"}, by=viewer.person_id, at=at)


def keep_sheet(
    viewer: Viewer, number: int, *, values: Mapping[str, str], lon: float | None, lat: float | None, active: bool,
    at: datetime,
) -> None:  # fmt: skip
    """Say what a sheet tells, or that it is still right; not `active`, it leaves the directory. Dated of today.

    Raises:
        OfferNotFound: the viewer does not keep this sheet.
        BadCase: a text is too long, or cannot be kept.
    """
    told = {key: clean_text(values.get(key, ""), where=key, limit=limit) for key, limit in LIMITS.items()}
    with transaction.atomic():
        row = _own(viewer, number)
        Claim.objects.filter(pk=row.pk).update(
            values={**told, "active": active}, lon=None if lon is None else round(lon, 6),
            lat=None if lat is None else round(lat, 6), kept_at=at,
        )  # fmt: skip
        _record(row, events.SHEET_KEPT, {"use_case": row.use_case}, by=viewer.person_id, at=at)


def give_up(viewer: Viewer, number: int, *, at: datetime) -> None:
    """Keep a sheet no more: its words leave, those of its register stay.

    Raises:
        OfferNotFound: the viewer does not keep this sheet.
    """
    with transaction.atomic():
        row = _own(viewer, number)
        Claim.objects.filter(pk=row.pk).update(state=ENDED, decided_at=at)
        _record(row, events.CLAIM_ENDED, {}, by=viewer.person_id, at=at)


def own_claim(viewer: Viewer, territory: str, slug: str, sheet: str) -> ClaimInfo | None:
    """Return the viewer's last word on a sheet: what waits, what she keeps, or what was refused."""
    if viewer.person_id is None:
        return None
    rows = Claim.objects.filter(territory=territory, slug=slug, sheet=sheet, person=viewer.person_id)
    row = rows.exclude(state=ENDED).order_by("-asked_at", "-pk").first()
    return None if row is None else _told(row)


def own_claims(viewer: Viewer, territory: str) -> list[ClaimInfo]:
    """Return the sheets the viewer keeps or asks to keep, by title."""
    rows = Claim.objects.filter(territory=territory, person=viewer.person_id, state__in=(WAITING, ACCEPTED))
    return [_told(row) for row in rows.order_by("title", "pk")]


def waiting_claims(viewer: Viewer, territory: str) -> list[ClaimInfo]:
    """Return what waits for the viewer's service, the oldest first; codes that are out are not for her to answer."""
    found = Claim.objects.filter(territory=territory, state=WAITING, how=CHECK).order_by("asked_at", "pk")
    rows = [row for row in found if _may_decide(viewer, row)]
    named = Q(pk__in=[])
    for row in rows:
        named |= Q(slug=row.slug, sheet=row.sheet)
    taken = set(Claim.objects.filter(named, territory=territory, state=ACCEPTED).values_list("slug", "sheet"))
    return [_told(row, is_taken=(row.slug, row.sheet) in taken) for row in rows]


def _accept(row: Claim, *, by: int | None, how: str, at: datetime) -> None:
    kept = Claim.objects.filter(territory=row.territory, slug=row.slug, sheet=row.sheet, state=ACCEPTED)
    for former in kept.exclude(pk=row.pk):
        Claim.objects.filter(pk=former.pk).update(state=ENDED, decided_at=at)
        _record(former, events.CLAIM_ENDED, {}, by=by, at=at)
    Claim.objects.filter(pk=row.pk).update(state=ACCEPTED, decided_at=at, nonce="", reason="")
    _record(row, events.CLAIM_DECIDED, {"how": ACCEPTED, "by": "mail" if how == MAIL else "agent"}, by=by, at=at)


def _record(row: Claim, kind: str, payload: Mapping[str, str], *, by: int | None, at: datetime) -> None:
    record(kind=kind, subject=f"claim:{row.pk}", payload=dict(payload), actor=by, territory=row.territory, at=at)


def _person(viewer: Viewer) -> int:
    if viewer.person_id is None:
        raise Refused("une fiche est tenue par une personne connue", remedy="connectez-vous")
    return viewer.person_id


def _rules(territory: str, use_case: str) -> ClaimsSettings:
    rules = claims_rules(territory, use_case)
    if rules is None:
        raise BadOffer("les fiches de cet annuaire ne sont pas tenues par les intéressés", remedy="écrivez à la mairie")
    return rules


def _own(viewer: Viewer, number: int) -> Claim:
    row = Claim.objects.select_for_update().filter(pk=number, person=_person(viewer), state=ACCEPTED).first()
    if row is None:
        raise OfferNotFound("vous ne tenez pas cette fiche", remedy="demandez à la tenir")
    return row


def _to_decide(viewer: Viewer, number: int, *states: str) -> Claim:
    row = Claim.objects.select_for_update().filter(pk=number, state__in=states).first()
    if row is None:
        raise OfferNotFound("aucune demande n’attend sous ce numéro", remedy="voyez la liste")
    if not _may_decide(viewer, row):
        raise Refused("c’est à un autre service d’y répondre", remedy="demandez-le-lui")
    return row


def _may_decide(viewer: Viewer, row: Claim) -> bool:
    rules = claims_rules(row.territory, row.use_case)
    if rules is None:
        return False
    mine = f"{SERVICE_PREFIX}{rules.service}" in viewer.clearances(row.territory)
    return mine or viewer.has(Role.ADMINISTRATOR, row.territory)


def _told(row: Claim, *, is_taken: bool = False) -> ClaimInfo:
    return ClaimInfo(
        int(row.pk), row.use_case, row.slug, row.sheet, row.title, row.how, row.proof, row.state, row.reason,
        row.asked_at, row.values, row.lon, row.lat, row.kept_at, is_taken,
    )  # fmt: skip
