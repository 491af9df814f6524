"""Which systems of shared vehicles a town has: files written by its administrator.

<data>/shared/<name>.toml

    territory = "76540"
    name      = "Lovélo"
    gbfs      = "https://…/gbfs.json"           # the discovery file of the system
    every_s   = 60
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from beffroi.base.kernel.errors import BeffroiError
from beffroi.sense.mobility.data_files import read_each, read_table, require_keys

SOONEST_S, LATEST_S, USUAL_S = 15, 3600, 60
_KEYS = ("territory", "name", "gbfs", "every_s")


class BadSystem(BeffroiError):
    """A file of `<data>/shared/` does not read."""


@dataclass(frozen=True, slots=True)
class System:
    """A system of shared vehicles: the name of its file, its own, its discovery file, how often it is asked."""

    territory: str
    slug: str
    name: str
    gbfs: str
    every_s: int

    @property
    def feed(self) -> str:
        """Return what its messages are kept under; no network of transit has a colon in its name."""
        return f"gbfs:{self.slug}"


def systems(territory: str = "") -> tuple[list[System], list[BadSystem]]:
    """Return the systems, those of a territory alone when it is told, and why each other file does not read."""
    found, faults = read_each(Path(settings.DATA_DIR) / "shared", read_system, BadSystem)
    return [one for one in found if territory in ("", one.territory)], faults


def read_system(path: Path) -> System:
    """Read one file.

    Raises:
        BadSystem: says the file, the key and the remedy.
    """
    where = f"shared/{path.name}"
    told = read_table(path, where=where, refused=BadSystem)
    missing = [key for key in ("territory", "name", "gbfs") if not (isinstance(told.get(key), str) and told[key])]
    require_keys(
        unknown=[key for key in told if key not in _KEYS], missing=missing, known=_KEYS, where=where, refused=BadSystem
    )
    if not told["gbfs"].startswith(("https://", "http://")):
        raise BadSystem("gbfs : adresse « {address} » illisible", where=where, remedy="donnez une adresse https://…",
                        address=told["gbfs"][:80])  # fmt: skip
    every_s = told.get("every_s", USUAL_S)
    if not isinstance(every_s, int) or not SOONEST_S <= every_s <= LATEST_S:
        raise BadSystem("every_s : {value} hors des bornes", where=where, remedy="de {least} à {most} secondes",
                        value=str(every_s)[:20], least=SOONEST_S, most=LATEST_S)  # fmt: skip
    return System(told["territory"], path.stem, told["name"], told["gbfs"], every_s)
