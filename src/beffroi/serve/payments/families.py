"""Families: written down by agents, linked to an account by an agent or by the code printed on the paper bill."""

from __future__ import annotations

import base64
from datetime import datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import queries as territory_queries
from beffroi.base.territory.engine import is_sandbox
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.words import clean_text
from beffroi.serve.payments import events
from beffroi.serve.payments.definition import BadBill, BillNotFound
from beffroi.serve.payments.models import Family, FamilyMember, Register
from beffroi.serve.payments.rights import require_keeper

_REFERENCE = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def save_family(
    viewer: Viewer,
    territory: str,
    *,
    reference: str,
    name: str,
    at: datetime,
    email: str = "",
    address: str = "",
    quotient: int | None = None,
    is_outside: bool = False,
) -> int:
    """Write a family down, or what has changed of it, under its reference; return its key.

    Bills already sent keep the name, the address and the prices they were sent with.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BadBill: the reference or the quotient cannot be.
        BadCase: a text cannot be kept.
    """
    require_keeper(viewer, territory)
    reference = reference.strip().upper()
    if not 1 <= len(reference) <= 20 or set(reference) - set(_REFERENCE):
        raise BadBill("« {text} » n’est pas une référence de famille", where="reference",
                      remedy="vingt lettres, chiffres ou tirets au plus", text=reference[:30])  # fmt: skip
    if quotient is not None and not 0 <= quotient <= 100_000:
        raise BadBill("le quotient familial va de 0 à 100 000 €", where="quotient", remedy="corrigez-le")
    values = {
        "name": clean_text(name, where="name", limit=120, required=True),
        "email": email.strip(),
        "address": clean_text(address, where="address", limit=400),
        "quotient": quotient,
        "is_outside": is_outside,
    }
    row, _new = Family.objects.update_or_create(
        territory=territory, reference=reference, defaults=values, create_defaults=values | {"made_at": at}
    )
    return int(row.pk)


def code_of(family: Family) -> str:
    """Return the code printed on the bills of a family: sealed by the installation's key, written nowhere."""
    digest = salted_hmac("payments.family", f"{family.pk}:{family.code_round}", algorithm="sha256").digest()
    text = base64.b32encode(digest)[:12].decode()
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def family_code(viewer: Viewer, territory: str, key: int) -> str:
    """Return the code of a family to who keeps the bills, and to its own members."""
    row = Family.objects.filter(territory=territory, pk=key).first()
    if row is None:
        raise BillNotFound("cette famille n’existe pas ici", remedy="cherchez-la dans la liste")
    member = viewer.person_id is not None and FamilyMember.objects.filter(family=row, person=viewer.person_id).exists()
    if not member:
        require_keeper(viewer, territory)
    return code_of(row)


@transaction.atomic
def link_by_code(viewer: Viewer, territory: str, *, reference: str, code: str, at: datetime) -> int:
    """Show the bills of a family to the account that has its paper bill; return the family's key.

    Raises:
        Refused: the viewer has no account.
        BadBill: no family has this reference and this code; which of them is wrong is not said.
    """
    if viewer.person_id is None:
        raise Refused("il faut un compte pour retrouver ses factures", remedy="connectez-vous")
    row = Family.objects.filter(territory=territory, reference=reference.strip().upper()[:20]).first()
    given = code.strip().upper().replace(" ", "").replace("-", "")
    # Compared even when no family bears the reference: the time taken says nothing.
    right = constant_time_compare(given, code_of(row or Family(pk=0)).replace("-", ""))
    if row is None or not right:
        raise BadBill("aucune famille n’a cette référence et ce code", where="code",
                      remedy="recopiez les deux de votre dernière facture, ou demandez-les au service")  # fmt: skip
    return _link(row, viewer.person_id, "code", None, at)


@transaction.atomic
def link_by_agent(viewer: Viewer, territory: str, key: int, *, email: str, at: datetime) -> int:
    """Show the bills of a family to the account of an address, at an agent's word.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such family.
        BadBill: no account has this address.
    """
    require_keeper(viewer, territory)
    row = Family.objects.filter(territory=territory, pk=key).first()
    if row is None:
        raise BillNotFound("cette famille n’existe pas ici", remedy="cherchez-la dans la liste")
    person = territory_queries.person_by_email(email.strip())
    if person is None:
        raise BadBill("aucun compte n’a cette adresse", where="email",
                      remedy="donnez le code de la facture à la famille : elle se rattache elle-même")  # fmt: skip
    return _link(row, person.id, "agent", viewer.person_id, at)


@transaction.atomic
def unlink_members(viewer: Viewer, territory: str, key: int, *, at: datetime) -> int:
    """Let no account see the bills of a family any more, and make its printed code void; return how many there were.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BillNotFound: no such family.
    """
    require_keeper(viewer, territory)
    row = Family.objects.select_for_update().filter(territory=territory, pk=key).first()
    if row is None:
        raise BillNotFound("cette famille n’existe pas ici", remedy="cherchez-la dans la liste")
    row.code_round += 1
    row.save(update_fields=["code_round"])
    count, _by_model = FamilyMember.objects.filter(family=row).delete()
    return count


def _link(row: Family, person: int, how: str, actor: int | None, at: datetime) -> int:
    _row, is_new = FamilyMember.objects.get_or_create(family=row, person_id=person, defaults={"how": how, "at": at})
    if is_new:
        record(
            kind=events.LINKED, subject=events.family_subject(int(row.pk)), payload={"how": how},
            actor=actor or person, territory=row.territory, at=at,
        )  # fmt: skip
    return int(row.pk)


def register_for(territory: str, slug: str) -> Register:
    """Return the register of this slug, made with what every bill needs when nobody has filled it in yet."""
    town = territory_queries.territory(territory)
    row, _new = Register.objects.get_or_create(
        territory=territory,
        slug=slug,
        defaults={
            "title": "Régie de recettes",
            "kind": "regie",
            # Money that is none moves in fictional towns only.
            "gateway": "sandbox" if town.fictional else "",
        },
    )
    return row


@transaction.atomic
def save_register(
    viewer: Viewer,
    territory: str,
    slug: str,
    *,
    title: str,
    kind: str,
    issuer: str,
    address: str,
    ways: str,
    court: str,
    gateway: str,
    at: datetime,
    payfip_client: str = "",
    payfip_mode: str = "T",
) -> None:
    """Write what the bills of a register must say, and how they are paid online.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BadBill: a make-believe gateway in a real town, a real one in a sandbox, or PayFiP without its client number.
        BadCase: a text cannot be kept.
    """
    require_keeper(viewer, territory)
    row = register_for(territory, slug)
    if gateway == "sandbox" and not territory_queries.territory(territory).fictional:
        raise BadBill("le bac à sable ne sert que les communes fictives", where="gateway",
                      remedy="choisissez PayFiP, ou aucun paiement en ligne")  # fmt: skip
    if gateway == "payfip" and is_sandbox(territory):
        raise BadBill("rien ne sort d’un bac à sable, l’argent moins que tout", where="gateway",
                      remedy="gardez le paiement en ligne d’essai")  # fmt: skip
    client = payfip_client.strip()
    if gateway == "payfip" and not (len(client) == 6 and client.isascii() and client.isdigit()):
        raise BadBill("PayFiP demande un numéro de client de six chiffres", where="payfip_client",
                      remedy="recopiez celui que la DGFiP a donné avec le contrat")  # fmt: skip
    row.title = clean_text(title, where="title", limit=120, required=True)
    row.kind = kind
    row.issuer = clean_text(issuer, where="issuer", limit=160, required=kind == "titre")
    row.address = clean_text(address, where="address", limit=400)
    row.ways = clean_text(ways, where="ways", limit=600)
    row.court = clean_text(court, where="court", limit=120)
    row.gateway, row.payfip_client, row.payfip_mode = gateway, client, payfip_mode
    row.save()
    record(
        kind=events.REGISTER_CHANGED, subject=f"register:{row.pk}", payload={"register": slug, "gateway": gateway},
        actor=viewer.person_id, territory=territory, at=at,
    )  # fmt: skip
