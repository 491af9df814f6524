"""Units taken in: a CSV file of a month, or one line typed by hand. Bad lines are refused one by one, with why.

The last word on a child, a service and a month stands. Depositing a month again replaces what the file covers; what
was billed meanwhile is not touched: the difference becomes a correction on the next bill (`billing`).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from beffroi.base.journal.operations import record
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.numbers import whole_number
from beffroi.base.kernel.words import folded
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.words import clean_text
from beffroi.serve.payments import events
from beffroi.serve.payments.definition import BadBill, first_of_month
from beffroi.serve.payments.engine import PaymentsSettings, billed_in, rules_of
from beffroi.serve.payments.models import Consumption, Deposit, Family
from beffroi.serve.payments.rights import require_keeper

MOST_LINES, MOST_BYTES = 50_000, 8_000_000
COLUMNS = ("mois", "famille", "enfant", "service", "unites")
Key = tuple[int, date, str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken: its number in the file, and why."""

    line: int
    reason: str


@dataclass(slots=True)
class Intake:
    """What came of a deposit: lines taken, of which some changed a former word; what the file no longer holds."""

    id: int = 0
    taken: int = 0
    changed: int = 0
    emptied: int = 0
    refused: list[Refusal] = field(default_factory=list)
    months: set[date] = field(default_factory=set)
    # Months and services where a line was refused: nothing is emptied there, the file is not whole.
    partial: set[tuple[date, str]] = field(default_factory=set)


def take_deposit(viewer: Viewer, territory: str, *, name: str, content: bytes, at: datetime) -> Intake:
    """Take a file of units in (columns mois, famille, enfant, service, unites; comma or semicolon).

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BadBill: the file cannot be read as a table, lacks a column, or is too large.
    """
    require_keeper(viewer, territory)
    rows = read_table(content, COLUMNS)
    rules = rules_of(territory)
    families = dict(Family.objects.filter(territory=territory).order_by().values_list("reference", "pk"))
    intake, wanted, seen = Intake(), {}, Counter[Key]()
    for number, row in enumerate(rows, start=2):
        try:
            key, units = _read(row, rules, families)
        except BeffroiError as error:
            intake.refused.append(Refusal(number, f"{error.what} ; {error.remedy}"))
            intake.partial |= _covered(row)
            continue
        seen[key] += 1
        if seen[key] > 1:
            intake.refused.append(Refusal(number, "cet enfant a déjà une ligne pour ce service et ce mois ; "
                                                  "additionnez les deux"))  # fmt: skip
            continue
        wanted[key] = units
    with transaction.atomic():
        _write(territory, wanted, intake, at, replaces=True)
        _keep(viewer, territory, name, intake, at)
    return intake


def type_units(
    viewer: Viewer, territory: str, *, family: str, month: str, child: str, service: str, units: int, at: datetime
) -> Intake:
    """Write one line by hand: the last word on this child, this service and this month.

    Raises:
        Refused: the viewer does not keep the bills of this town.
        BadBill: the line cannot be.
    """
    require_keeper(viewer, territory)
    families = dict(Family.objects.filter(territory=territory).order_by().values_list("reference", "pk"))
    row = {"mois": month, "famille": family, "enfant": child, "service": service, "unites": str(units)}
    key, number = _read(row, rules_of(territory), families)
    intake = Intake()
    with transaction.atomic():
        _write(territory, {key: number}, intake, at, replaces=False)
        _keep(viewer, territory, "Saisie à la main", intake, at)
    return intake


def read_table(content: bytes, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of these columns; accents and capitals of its heads do not count.

    Raises:
        BadBill: it is too large, is not text, lacks a column, or holds nothing.
    """
    if len(content) > MOST_BYTES:
        raise BadBill("le fichier dépasse {most} Mo", where="file", remedy="coupez-le par service",
                      most=MOST_BYTES // 1_000_000)  # fmt: skip
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise BadBill("le fichier ne se lit pas comme un tableau", where="file",
                      remedy="enregistrez-le en CSV") from error  # fmt: skip
    heads = [folded(head).strip() for head in lines[0]] if lines else []
    missing = [column for column in columns if column not in heads]
    if missing:
        raise BadBill("il manque la colonne « {names} »", where="file",
                      remedy="la première ligne doit nommer : {all}", names=", ".join(missing),
                      all=", ".join(columns))  # fmt: skip
    if len(lines) > MOST_LINES:
        raise BadBill("le fichier a plus de {most} lignes", where="file", remedy="coupez-le", most=MOST_LINES)
    places = {column: heads.index(column) for column in columns}
    rows = [
        {column: (line[place].strip() if place < len(line) else "") for column, place in places.items()}
        for line in lines[1:]
    ]
    if not any(any(row.values()) for row in rows):
        raise BadBill("le fichier n’a aucune ligne", where="file", remedy="déposez celui du mois")
    return rows


def _decoded(content: bytes) -> str:
    if b"\0" in content:
        raise BadBill("le fichier n’est pas du texte", where="file", remedy="enregistrez-le en CSV")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a French spreadsheet writes when it is not asked for UTF-8.
        return content.decode("cp1252", errors="replace")


def _read(row: Mapping[str, str], rules: Sequence[PaymentsSettings], families: Mapping[str, int]) -> tuple[Key, int]:
    month = first_of_month(row["mois"])
    family = families.get(row["famille"].upper())
    if family is None:
        raise BadBill("la famille « {text} » n’est pas connue", remedy="écrivez-la d’abord dans la liste des familles",
                      text=row["famille"][:30])  # fmt: skip
    child = clean_text(row["enfant"], where="enfant", limit=80, required=True)
    _rule, billed = billed_in(rules, row["service"].lower(), month)
    units = whole_number(row["unites"])
    if units is None:
        raise BadBill("« {text} » n’est pas un nombre d’unités", remedy="écrivez un nombre entier, 0 compris",
                      text=row["unites"][:20])  # fmt: skip
    if units > billed.most:
        raise BadBill("{units} {unit} en un mois : {most} au plus", remedy="corrigez le nombre", units=units,
                      unit=billed.unit_for(units), most=billed.most)  # fmt: skip
    return (family, month, child, billed.slug), units


def _covered(row: Mapping[str, str]) -> set[tuple[date, str]]:
    try:
        return {(first_of_month(row["mois"]), row["service"].lower())}
    except BeffroiError:
        return set()


def _write(territory: str, wanted: Mapping[Key, int], intake: Intake, at: datetime, *, replaces: bool) -> None:
    """Write the last word on each key; with `replaces`, what the same months and services held beside becomes 0."""
    covered = {(month, service) for _family, month, _child, service in wanted}
    months = {month for month, _service in covered}
    intake.months = months
    rows = Consumption.objects.select_for_update().filter(family__territory=territory, month__in=months).order_by("pk")
    known = {(row.family_id, row.month, row.child, row.service): row for row in rows}
    changed: list[Consumption] = []
    for key, units in wanted.items():
        row = known.get(key)
        if row is None:
            continue
        if row.units != units:
            row.units, row.at = units, at
            changed.append(row)
    new = [
        Consumption(family_id=family, month=month, child=child, service=service, units=units, at=at)
        for (family, month, child, service), units in wanted.items()
        if (family, month, child, service) not in known
    ]
    Consumption.objects.bulk_create(new)
    intake.taken, intake.changed = len(wanted), len(changed)
    if replaces:
        whole = covered - intake.partial
        for (family, month, child, service), row in known.items():
            if (month, service) in whole and (family, month, child, service) not in wanted and row.units:
                row.units, row.at = 0, at
                changed.append(row)
                intake.emptied += 1
    Consumption.objects.bulk_update(changed, ["units", "at"])


def _keep(viewer: Viewer, territory: str, name: str, intake: Intake, at: datetime) -> None:
    row = Deposit.objects.create(
        territory=territory, name=name[:120], at=at, taken=intake.taken, changed=intake.changed,
        emptied=intake.emptied, refused=[[one.line, one.reason[:200]] for one in intake.refused[:1000]],
    )  # fmt: skip
    intake.id = int(row.pk)
    counts = {"taken": intake.taken, "changed": intake.changed, "emptied": intake.emptied}
    record(
        kind=events.DEPOSITED, subject=f"deposit:{row.pk}", payload=counts | {"refused": len(intake.refused)},
        actor=viewer.person_id, territory=territory, at=at, new_subject=True,
    )  # fmt: skip
