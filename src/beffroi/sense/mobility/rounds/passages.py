"""What came of going there: an outcome, which figures count, and a sealed note, which only the service reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from beffroi.base.clock.queries import timezone_of
from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import Refused
from beffroi.base.privacy.sealing import KeyLost, seal, unseal
from beffroi.base.territory.viewer import Role, Viewer
from beffroi.sense.mobility import events
from beffroi.sense.mobility.models import Passage
from beffroi.sense.mobility.rounds import needs, queries
from beffroi.sense.mobility.rounds.keeping import stops_kept
from beffroi.sense.mobility.rounds.kinds import Kind, kind_for, kinds
from beffroi.sense.mobility.rounds.needs import MOST_WORDS, BadNeed
from beffroi.sense.mobility.rounds.plan import by_id

# What a telephone without network says late is taken, for a week.
LATE_DONE = timedelta(days=7)
# A month, a district and an outcome together are counted from this number of passages on.
# Source: Insee, « Guide du secret statistique » (2023): no figure about fewer than eleven households.
THRESHOLD = 11
MONTHS = 24


@dataclass(frozen=True, slots=True)
class PassageInfo:
    """One passage. `note` is None when its key is lost; empty when there was none, or once its time has passed."""

    round_number: int
    source: str
    outcome: str
    note: str | None
    at: datetime
    closes: bool = False


@transaction.atomic
def note_passage(
    viewer: Viewer, territory: str, round_id: int, *, stop: str, outcome: str, note: str, at: datetime,
    done_at: datetime | None = None,
) -> PassageInfo:  # fmt: skip
    """Keep what came of a stop of a round; said again, the last word stands.

    Args:
        done_at: when it was, by the telephone that says so; it may arrive up to a week later.

    Raises:
        RoundNotFound, KindNotFound: the round is not the viewer's, or goes over no needs.
        BadNeed: no such stop, outcome or moment, or too long a note.
        KeyLost: the round, or the note, cannot be opened or sealed with the keys of this server.
    """
    row = queries.seen_round(viewer, territory, round_id, lock=True)
    kind = kind_for(viewer, territory, row.use_case)
    chosen = kind.settings.outcome_named(outcome)
    there = by_id(stops_kept(row)).get(stop)
    if chosen is None or there is None:
        raise BadNeed("ce passage ne dit rien de connu", where="outcome", remedy="choisissez ce qu’il en fut")
    if len(note) > MOST_WORDS:
        raise BadNeed("note trop longue", where="note", remedy="au plus {most} caractères", most=MOST_WORDS)
    moment = done_at or at
    if not at - LATE_DONE <= moment <= at + timedelta(minutes=5):
        raise BadNeed("moment impossible", where="done_at", remedy="donnez un moment de la semaine écoulée")
    Passage.objects.update_or_create(
        territory=territory, round_number=round_id, source=there.source,
        defaults={"use_case": row.use_case, "outcome": outcome, "sealed_note": seal(note.strip()), "at": moment,
                  "district": needs.district_at(territory, there.lon, there.lat)},
    )  # fmt: skip
    needs.met(there.source, territory=territory, closes=chosen.closes, viewer=viewer, at=moment)
    # Neither whom, where nor what was written: the journal is read by others.
    record(
        kind=events.PASSAGE_NOTED, subject=f"round:{round_id}", payload={"outcome": outcome}, actor=viewer.person_id,
        territory=territory, at=at,
    )  # fmt: skip
    return PassageInfo(round_id, there.source, outcome, note.strip(), moment, chosen.closes)


def passages_of_round(viewer: Viewer, territory: str, round_id: int) -> Mapping[str, PassageInfo]:
    """Return what was noted on a round, by the source of its stops.

    Raises:
        RoundNotFound: it is not the viewer's.
    """
    queries.seen_round(viewer, territory, round_id)
    rows = Passage.objects.filter(territory=territory, round_number=round_id).order_by("pk")
    return {row.source: _info(row) for row in rows}


def passages_at(
    viewer: Viewer, territory: str, use_case: str, sources: Iterable[str], *, most: int = 200
) -> Mapping[str, list[PassageInfo]]:
    """Return the passages for each of these needs, the last first.

    Raises:
        KindNotFound: they are not the viewer's.
    """
    kind_for(viewer, territory, use_case)
    rows = Passage.objects.filter(territory=territory, use_case=use_case, source__in=list(sources))
    found: dict[str, list[PassageInfo]] = defaultdict(list)
    for row in rows.order_by("-at", "-pk")[:most]:
        found[row.source].append(_info(row))
    return found


def forget_notes(territory: str, round_id: int) -> None:
    """Let go of what was written on a round, and of where; figures keep their count."""
    Passage.objects.filter(territory=territory, round_number=round_id).update(sealed_note="", source="")


def _info(row: Passage) -> PassageInfo:
    note: str | None
    try:
        note = unseal(row.sealed_note)
    except KeyLost:
        note = None
    return PassageInfo(row.round_number, row.source, row.outcome, note, row.at)


# --- Figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figures:
    """The rounds of a use case in figures, the last month first: never a note, never a place.

    `rounds` are by month (``2026-03``); `by_month` and `by_district` count passages by outcome.
    """

    kind: Kind
    rounds: Mapping[str, int]
    by_month: Mapping[str, Mapping[str, int]]
    by_district: Mapping[str, Mapping[str, int]]


def figures(viewer: Viewer, territory: str, *, at: datetime) -> list[Figures]:
    """Return the figures of each use case whose rounds go over needs, to the officials of the town.

    Passages enter by whole bricks: a month that is over, a district, an outcome. A brick of less than `THRESHOLD` is
    in no figure: subtracting two figures gives a sum of bricks, never a person.

    Raises:
        Refused: the viewer is no official of this town.
    """
    if viewer.scopes is not None or not any(
        viewer.has(role, territory) for role in (Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR)
    ):
        raise Refused("ces chiffres sont ceux des agents et des élus", where=territory, remedy="connectez-vous")
    return [_figures(territory, one, at) for one in kinds(territory)]


def _figures(territory: str, kind: Kind, at: datetime) -> Figures:
    zone = timezone_of(territory)
    this_month = at.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = Passage.objects.filter(territory=territory, use_case=kind.use_case, at__lt=this_month).order_by("-at")
    bricks: Counter[tuple[str, str, str]] = Counter()
    out: dict[str, set[int]] = {}
    for moment, district, outcome, number in rows.values_list("at", "district", "outcome", "round_number").iterator():
        month = moment.astimezone(zone).strftime("%Y-%m")
        if month not in out and len(out) == MONTHS:
            break
        out.setdefault(month, set()).add(number)
        bricks[month, district, outcome] += 1
    by_month: dict[str, Counter[str]] = {}
    by_district: dict[str, Counter[str]] = {}
    for (month, district, outcome), count in bricks.items():
        if count >= THRESHOLD:
            by_month.setdefault(month, Counter())[outcome] += count
            by_district.setdefault(district, Counter())[outcome] += count
    return Figures(kind, {month: len(numbers) for month, numbers in out.items()}, by_month,
                   {name: by_district[name] for name in sorted(by_district)})  # fmt: skip
