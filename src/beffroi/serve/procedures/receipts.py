"""What an acknowledgement of receipt must say of a request.

Source: CRPA, art. L112-3, L112-11 and R112-11-1.
"""

from __future__ import annotations

from beffroi.base.clock import queries as clock
from beffroi.base.territory import queries as territory_queries
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.procedures.certificates import service_name
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.definition import SilenceInfo
from beffroi.serve.procedures.delays import silence_of
from beffroi.serve.procedures.models import Request
from beffroi.serve.procedures.opened import declared
from beffroi.serve.procedures.queries import piece_info


def contact_line(procedure: Procedure, territory: str) -> str:
    """Return the service in charge and how to reach it: what its file says, else the town hall."""
    town = territory_queries.territory(territory).name
    known = procedure.contact
    where = [known.address or f"Mairie de {town}", known.phone, known.email]
    return " – ".join(filter(None, (service_name(territory, procedure.service), *where)))


def silence_words(silence: SilenceInfo | None) -> str:
    """Return what silence is worth, in French, as a receipt must say it; "" where the law says nothing."""
    if silence is None:
        return ""
    # The article alone: what its rule says beside is for who keeps the rules.
    because = f" ({' : '.join(filter(None, (silence.article.split(' (')[0], silence.because)))})"
    if silence.day is None:
        return "Le délai au terme duquel notre silence vaudrait décision est arrêté : une pièce est attendue." + because
    day = f"{silence.day:%d/%m/%Y}"
    if silence.means == "accord":
        return (
            f"Sans réponse de notre part le {day}, et si votre demande est complète, elle est réputée acceptée"
            f"{because}. Vous pourrez alors en demander l’attestation (CRPA, art. L232-3)."
        )
    return (
        f"Sans réponse de notre part le {day}, elle est réputée rejetée{because}. Vous aurez alors deux mois pour "
        "demander au maire de revoir ce rejet ou pour saisir le tribunal administratif (code de justice "
        "administrative, art. R421-1 et R421-2)."
    )


def legal_lines(case: CaseInfo) -> list[str]:
    """Return what the message of receipt adds for a procedure: whom to ask, and what silence is worth."""
    known = declared(case.category)
    if known is None:
        return []
    row = Request.objects.prefetch_related("pieces").filter(pk=case.id).first()
    pieces = [piece_info(one) for one in row.pieces.all()] if row else []
    today = case.opened_at.astimezone(clock.timezone_of(case.territory)).date()
    words = silence_words(silence_of(known.procedure, case, pieces, today=today))
    return [
        f"{known.title}.",
        f"Service chargé : {contact_line(known.procedure, case.territory)}.",
        *filter(None, [words]),
    ]
