"""Where the networks of a town tell the moment: files written by its administrator.

<data>/transit/<name>.toml

    territory         = "34172"
    feed              = "mtp-gtfs"             # the datasets « mtp-gtfs-stops », « mtp-gtfs-trips »…
    trip_updates      = "https://…/TripUpdate.pb"
    alerts            = "https://…/Alert.pb"
    vehicle_positions = "https://…/VehiclePosition.pb"
    every_s           = 30
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.data_files import read_table, require_keys

KINDS = ("trip_updates", "alerts", "vehicle_positions")
SOONEST_S, LATEST_S, USUAL_S = 5, 3600, 30
_ADDRESS = re.compile(r"^https?://[^\s/]+/?\S*$")


class BadSource(BeffroiError):
    """A file of `<data>/transit/` does not read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one feed tells the moment: (kind, address) pairs, and how often it is asked."""

    territory: str
    feed: str
    addresses: tuple[tuple[str, str], ...]
    every_s: int


_READ: dict[str, tuple[tuple[tuple[str, int], ...], list[Source], list[BadSource]]] = {}


def sources() -> tuple[list[Source], list[BadSource]]:
    """Return the sources and, for each file that does not read, why; files are read again when they change."""
    folder = Path(settings.DATA_DIR) / "transit"
    try:
        stamps = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.toml")))
    except OSError:
        stamps = ()
    kept = _READ.get(str(folder))
    if kept is not None and kept[0] == stamps:
        return kept[1], kept[2]
    found, faults = [], []
    for name, _ in stamps:
        try:
            found.append(read_source(folder / name))
        except BadSource as fault:
            faults.append(fault)
    _READ[str(folder)] = (stamps, found, faults)
    return found, faults


def source_of(territory: str, feed: str) -> Source | None:
    """Return where a feed tells the moment, None when it does not."""
    return next((one for one in sources()[0] if (one.territory, one.feed) == (territory, feed)), None)


def read_source(path: Path) -> Source:
    """Read one file.

    Raises:
        BadSource: says the file, the key and the remedy.
    """
    where = f"transit/{path.name}"
    told = read_table(path, where=where, refused=BadSource)
    known = ("territory", "feed", "every_s", *KINDS)
    strange = [key for key in told if key not in known]
    missing = [key for key in ("territory", "feed") if not isinstance(told.get(key), str)]
    require_keys(unknown=strange, missing=missing, known=known, where=where, refused=BadSource)
    addresses = tuple((kind, told[kind]) for kind in KINDS if told.get(kind))
    for kind, address in addresses:
        if not isinstance(address, str) or not _ADDRESS.match(address):
            raise BadSource(
                "{kind} : adresse « {address} » illisible",
                where=where,
                remedy="donnez une adresse https://…",
                kind=kind,
                address=str(address)[:80],
            )
    every_s = told.get("every_s", USUAL_S)
    if not isinstance(every_s, int) or not SOONEST_S <= every_s <= LATEST_S:
        raise BadSource(
            "every_s : {value} hors des bornes",
            where=where,
            remedy="de {least} à {most} secondes",
            value=str(every_s)[:20],
            least=SOONEST_S,
            most=LATEST_S,
        )
    return Source(told["territory"], told["feed"], addresses, every_s)
