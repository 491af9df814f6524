"""What the law says of time: the worth of silence, and how long a decision may be challenged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from beffroi.base.clock import queries as clock
from beffroi.base.clock.deadlines import Suspension
from beffroi.serve.cases.queries import CaseInfo
from beffroi.serve.procedures.declaration import Procedure
from beffroi.serve.procedures.definition import PieceInfo, SilenceInfo

APPEAL_RULE = "administration.recours-contentieux"


def silence_of(procedure: Procedure, case: CaseInfo, pieces: Sequence[PieceInfo], *, today: date) -> SilenceInfo | None:
    """Return what the town's silence is worth and from what day; None once the request is decided, or without rule.

    A piece asked for stops the count: until it comes, for an acceptance, which only a complete request brings; during
    the time given to bring it at most, for a rejection.

    Source: CRPA, art. L231-1, L231-4 and L114-5.
    """
    rule = procedure.silence
    if rule is None or case.closed_at is not None:
        return None
    zone = clock.timezone_of(case.territory)
    start = case.opened_at.astimezone(zone).date()
    region = clock.region_of(case.territory).id
    known = clock.rule(rule.rule).version_on(start)
    if rule.means == "accord":
        if any(one.supplied_at is None for one in pieces):
            return SilenceInfo(rule.means, None, known.article, rule.because)
        start = max([start, *(one.supplied_at.astimezone(zone).date() for one in pieces if one.supplied_at)])
        due = clock.due_date(rule.rule, start, region_id=region)
        return SilenceInfo(rule.means, due.last_day, known.article, rule.because)
    if any(one.supplied_at is None and one.until >= today for one in pieces):
        return SilenceInfo(rule.means, None, known.article, rule.because)
    pauses = [_pause(one, zone) for one in pieces]
    due = clock.due_date(rule.rule, start, region_id=region, suspensions=pauses)
    return SilenceInfo(rule.means, due.last_day, known.article, rule.because)


def _pause(piece: PieceInfo, zone: object) -> Suspension:
    asked = piece.asked_at.astimezone(zone).date()  # type: ignore[arg-type]
    came = piece.supplied_at.astimezone(zone).date() if piece.supplied_at else piece.until  # type: ignore[arg-type]
    end = max(asked, min(came, piece.until))
    return Suspension(asked, end, "pièce demandée", "CRPA, art. L114-5")


def appeal_notice(territory: str, at: datetime) -> str:
    """Return, in French, how a decision told at `at` may be challenged, before whom and until when.

    Source: CJA, art. R421-1, R421-5 and R414-2; CRPA, art. L411-2 (a first appeal to the mayor keeps the time).
    """
    last = appeal_day(territory, at)
    return (
        f"Voies et délais de recours. Si vous contestez cette décision, vous avez deux mois à compter du jour où elle "
        f"vous est notifiée, soit jusqu’au {last:%d/%m/%Y} si c’est aujourd’hui, pour demander au maire de la revoir "
        f"(recours gracieux, CRPA, art. L411-2 : un nouveau délai de deux mois court à sa réponse ou, s’il se tait, "
        f"deux mois après), ou pour saisir le tribunal administratif, par courrier ou sur "
        f"www.telerecours.fr (code de justice administrative, art. R421-1, R421-2 et R414-2)."
    )


def appeal_day(territory: str, at: datetime) -> date:
    """Return the last day to challenge a decision told at `at`."""
    day = at.astimezone(clock.timezone_of(territory)).date()
    return clock.due_date(APPEAL_RULE, day, region_id=clock.region_of(territory).id).last_day
