"""Read what an agent writes or sends: stops, hours, breaks. Errors say which line, and how to mend it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.base.kernel.words import folded
from beffroi.faces.shell.places import BadPlace, read_degrees
from beffroi.sense.mobility.rounds.plan import MOST_STOPS, Break, Stop, Window
from beffroi.sense.places import queries as places

# The column of a stop: the words that name it in a header, folded.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("nom", "arret", "libelle", "lieu", "intitule", "point", "name", "titre"),
    "address": ("adresse", "address", "voie"),
    "lat": ("latitude", "lat", "y"),
    "lon": ("longitude", "lon", "lng", "long", "x"),
    "amount": ("quantite", "volume", "bacs", "amount", "poids", "charge", "nombre"),
    "minutes": ("minutes", "duree", "temps"),
    "hours": ("heures", "horaires", "horaire", "creneau"),
    "vehicle": ("vehicule", "camion", "tournee", "benne"),
    "rank": ("rang", "ordre", "passage", "rank"),
}
# Without a header, the columns come in this order.
POSITIONS = ("name", "lat", "lon", "amount", "minutes", "hours", "vehicle", "rank")
_HOURS = re.compile(r"(\d{1,2})(?:[h:](\d{2})?)?\s*(?:-|–|à)\s*(\d{1,2})(?:[h:](\d{2})?)?")
_PAUSE = re.compile(r"(.+?)[,;]?\s+(\d{1,3})\s*(?:min\w*|')")


class BadStops(BeffroiError):
    """A list of stops, or hours, cannot be read."""

    http_status = 400


def read_windows(text: str) -> tuple[Window, ...]:
    """Return hours written as « 6h-9h, 14h-16h30 ».

    Raises:
        BadStops: they cannot be read.

    >>> [(one.start_s, one.end_s) for one in read_windows("6h-9h30")]
    [(21600, 34200)]
    """
    found = []
    for part in re.split(r"[,;+]| et ", text):
        if not part.strip():
            continue
        match = _HOURS.fullmatch(part.strip())
        start, end = _seconds(match[1], match[2]) if match else -1, _seconds(match[3], match[4]) if match else -1
        if match is None or not 0 <= start < end <= 86_400:
            raise BadStops(
                gettext_noop("heures « {text} » illisibles"),
                remedy=gettext_noop("écrivez par exemple 6h-9h30, 14h-16h"),
                text=part.strip()[:40],
            )
        found.append(Window(start_s=start, end_s=end))
    return tuple(found)


def _seconds(hours: str, minutes: str | None) -> int:
    return 3600 * int(hours) + 60 * int(minutes or 0)


def read_breaks(text: str) -> tuple[Break, ...]:
    """Return breaks written as « 9h-10h30 20 min », one a line or parted by semicolons.

    Raises:
        BadStops: they cannot be read.

    >>> read_breaks("9h-10h 20 min")[0].length_s
    1200
    """
    found = []
    for part in re.split(r"[;\n]", text):
        if not part.strip():
            continue
        match = _PAUSE.fullmatch(part.strip())
        windows = read_windows(match[1]) if match else ()
        if match is None or len(windows) != 1:
            raise BadStops(
                gettext_noop("pause « {text} » illisible"),
                remedy=gettext_noop("écrivez par exemple 9h-10h30 20 min : entre 9 h et 10 h 30, vingt minutes"),
                text=part.strip()[:40],
            )
        length = 60 * int(match[2])
        found.append(Break(earliest_s=windows[0].start_s, latest_s=windows[0].end_s, length_s=length))
    return tuple(found)


def read_table(text: str) -> list[dict[str, str]]:
    """Return the lines of a list pasted or of a CSV file, by the names of `COLUMNS`; a header is not needed."""
    sample = text.lstrip("\ufeff").strip("\n")
    first = sample.split("\n", 1)[0]
    separator = max(";\t,", key=first.count) if any(mark in first for mark in ";\t,") else ";"
    # « 45,0102 » is a number: commas part nothing where semicolons do.
    rows = [row for row in csv.reader(io.StringIO(sample), delimiter=separator) if any(cell.strip() for cell in row)]
    if not rows:
        return []
    header = [column_of(cell) for cell in rows[0]]
    figures = any(cell.strip()[:1].isdigit() for cell in rows[0])
    alone = len(rows[0]) == 1 and folded(rows[0][0]).strip() in ("adresse", "address", "nom")
    if alone or (not figures and sum(one is not None for one in header) >= 2):
        return [_by_column(header, row) for row in rows[1:]]
    return [_by_column(POSITIONS if len(row) > 1 else ("address",), row) for row in rows]


def _by_column(names: Sequence[str | None], row: Sequence[str]) -> dict[str, str]:
    return {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}


def column_of(title: str) -> str | None:
    """Return what a column of a table holds by its title, None when it is nothing of a stop."""
    word = folded(title).strip()
    for name, words in COLUMNS.items():
        if word in words or any(word.startswith((f"{one} ", f"{one}_")) for one in words):
            return name
    return None


def features_as_rows(features: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Return the points of a dataset as lines of a table."""
    for raw in features:
        feature = json.loads(raw)
        geometry, properties = feature.get("geometry"), feature.get("properties") or {}
        if not geometry:
            continue
        lon, lat = _middle(geometry["coordinates"])
        row = {"lon": f"{lon}", "lat": f"{lat}"}
        for key, value in properties.items():
            name = column_of(str(key))
            if name and name not in row and value not in (None, ""):
                row[name] = str(value)
        yield row


def _middle(coordinates: Any) -> tuple[float, float]:
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return float(coordinates[0]), float(coordinates[1])


def stops_read(
    rows: Iterable[Mapping[str, str]], *, citycode: str, amount: float, service_s: int, sources: Sequence[str] = ()
) -> list[Stop]:
    """Return the stops of the lines of a table; `amount` and `service_s` are for those that do not say.

    Raises:
        BadStops: a line cannot be read, or there are too many.
    """
    found = []
    for number, row in enumerate(rows, start=1):
        if number > MOST_STOPS:
            raise BadStops(
                gettext_noop("plus de {most} arrêts"), remedy=gettext_noop("faites plusieurs tournées"), most=MOST_STOPS
            )
        source = sources[number - 1] if number <= len(sources) else ""
        try:
            found.append(_stop(row, number, citycode, amount, service_s, source))
        except (BadStops, BadPlace, ValueError) as fault:
            raise _at_line(fault, number) from fault
    return found


def _at_line(fault: Exception, number: int) -> BadStops:
    if isinstance(fault, BeffroiError):
        return BadStops(
            gettext_noop("ligne {number} : {fault}"), remedy=fault.remedy.template,
            **(dict(fault.what.values) | {"number": number, "fault": fault.what}),
        )  # fmt: skip
    return BadStops(
        gettext_noop("ligne {number} : un nombre est illisible"),
        remedy=gettext_noop("écrivez par exemple 2 ou 1,5"),
        number=number,
    )


def _stop(row: Mapping[str, str], number: int, citycode: str, amount: float, service_s: int, source: str) -> Stop:
    name, address = row.get("name", ""), row.get("address", "")
    if row.get("lat") and row.get("lon"):
        lat, lon = read_degrees(row["lat"][:20], limit=90), read_degrees(row["lon"][:20], limit=180)
    else:
        lon, lat = _looked_up(address or name, citycode)
    told = name if not address or address == name else f"{name}, {address}" if name else address
    return Stop(
        id=str(number), name=(told or _("Arrêt {number}").format(number=number))[:160], lon=lon, lat=lat,
        amount=_number(row["amount"]) if row.get("amount") else amount,
        service_s=round(60 * _number(row["minutes"])) if row.get("minutes") else service_s,
        windows=read_windows(row.get("hours", "")), vehicle=row.get("vehicle", "")[:60],
        rank=_number(row["rank"]) if row.get("rank") else float(number), source=source,
    )  # fmt: skip


def _number(text: str) -> float:
    found = float(text.replace(",", ".").replace("\u202f", "").replace(" ", ""))
    if not 0 <= found < 1e6:
        raise ValueError(text)
    return found


def _looked_up(text: str, citycode: str) -> tuple[float, float]:
    hits = places.addresses(text, citycode=citycode, autocomplete=False, limit=1) if text.strip() else []
    if not hits:
        raise BadStops(
            gettext_noop("adresse « {text} » inconnue ici"),
            remedy=gettext_noop("donnez sa latitude et sa longitude, ou corrigez-la"),
            text=text[:60],
        )
    return hits[0].place
