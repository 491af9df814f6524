"""Read the state of charging points as published: the national schema « IRVE dynamique », 2.3 and the one before.

Source: etalab/schema-irve, dynamique/schema-dynamique.json 2.3.0 (16 January 2024). `horodatage` is when the state was
reported by the point; a column of a plug left empty means that the point has no such plug.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop

COLUMNS = ("id_pdc_itinerance", "etat_pdc", "occupation_pdc", "horodatage")
PLUGS = {"2": "etat_prise_type_2", "combo_ccs": "etat_prise_type_combo_ccs",
         "chademo": "etat_prise_type_chademo", "ef": "etat_prise_type_ef"}  # fmt: skip


class BadDynamic(BeffroiError):
    """What an operator sent is no « IRVE dynamique »."""


class State(StrEnum):
    """Whether one may charge at a point now."""

    FREE = "libre"
    BUSY = "occupe"
    OUT = "hors-service"
    UNKNOWN = "inconnu"


@dataclass(frozen=True, slots=True)
class Told:
    """The state of a point as it was last reported, and the plugs that are out of order."""

    state: State
    at: datetime
    broken: frozenset[str] = frozenset()


def read(content: bytes, *, where: str) -> dict[str, Told]:
    """Return the state of each point by its national identifier; of several rows for one, the last reported.

    A row without an instant that reads tells nothing: it is left out.

    Raises:
        BadDynamic: no text, or without the columns of the schema.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDynamic(gettext_noop("ce n’est pas du texte en UTF-8"), where=where,
                         remedy=gettext_noop("vérifiez l’adresse du fichier")) from error  # fmt: skip
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    missing = [one for one in COLUMNS if one not in (rows.fieldnames or ())]
    if missing:
        raise BadDynamic(
            gettext_noop("colonnes absentes : {missing}"), where=where,
            remedy=gettext_noop("donnez un fichier au schéma « IRVE dynamique »"), missing=", ".join(missing),
        )  # fmt: skip
    found: dict[str, Told] = {}
    for row in rows:
        number, at = (row["id_pdc_itinerance"] or "").strip(), _instant(row["horodatage"])
        if not number or at is None or (number in found and found[number].at >= at):
            continue
        broken = frozenset(plug for plug, column in PLUGS.items() if row.get(column) == "hors_service")
        found[number] = Told(_state(row["etat_pdc"], row["occupation_pdc"]), at, broken)
    return found


def _state(service: str | None, use: str | None) -> State:
    """Return the state two columns tell: a point out of order is neither free nor busy.

    >>> _state("en_service", "libre"), _state("hors_service", "libre"), _state("inconnu", "libre")
    (<State.FREE: 'libre'>, <State.OUT: 'hors-service'>, <State.UNKNOWN: 'inconnu'>)
    """
    if service == "hors_service":
        return State.OUT
    if service != "en_service":
        return State.UNKNOWN
    return {"libre": State.FREE, "occupe": State.BUSY, "reserve": State.BUSY}.get(use or "", State.UNKNOWN)


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    # The schema asks for an offset; without one, the files in use mean UTC.
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
