"""Where operators publish the state of their charging points: files written by the administrator of a town.

<data>/bornes/<name>.toml

    territory = "76540"
    name      = "Réseau d’ici"
    url       = "https://…/irve-dynamique.csv"
    every_s   = 120
    holds_min = 30          # a state reported longer ago is said unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.sense.mobility.data_files import read_each, read_table, require_keys

SOONEST_S, LATEST_S, USUAL_S = 30, 3600, 120
USUAL_HOLDS_MIN, MOST_HOLDS_MIN = 30, 24 * 60
_KEYS = ("territory", "name", "url", "every_s", "holds_min")


class BadSource(BeffroiError):
    """A file of `<data>/bornes/` does not read."""


@dataclass(frozen=True, slots=True)
class Source:
    """A dynamic file: the name of its own file, who publishes it, how often it is asked, how long a state holds."""

    territory: str
    slug: str
    name: str
    url: str
    every_s: int
    holds: timedelta

    @property
    def feed(self) -> str:
        """Return what its messages are kept under; no network of transit has a colon in its name."""
        return f"irve:{self.slug}"


def sources(territory: str = "") -> tuple[list[Source], list[BadSource]]:
    """Return the sources, those of a territory alone when it is told, and why each other file does not read."""
    found, faults = read_each(Path(settings.DATA_DIR) / "bornes", read_source, BadSource)
    return [one for one in found if territory in ("", one.territory)], faults


def read_source(path: Path) -> Source:
    """Read one file.

    Raises:
        BadSource: says the file, the key and the remedy.
    """
    where = f"bornes/{path.name}"
    told = read_table(path, where=where, refused=BadSource)
    missing = [key for key in ("territory", "name", "url") if not (isinstance(told.get(key), str) and told[key])]
    require_keys(
        unknown=[key for key in told if key not in _KEYS], missing=missing, known=_KEYS, where=where, refused=BadSource
    )
    if not told["url"].startswith(("https://", "http://")):
        raise BadSource(gettext_noop("url : adresse « {address} » illisible"), where=where,
                        remedy=gettext_noop("donnez une adresse https://…"), address=told["url"][:80])  # fmt: skip
    every_s = _between(told.get("every_s", USUAL_S), SOONEST_S, LATEST_S, "every_s", where)
    holds_min = _between(told.get("holds_min", USUAL_HOLDS_MIN), 1, MOST_HOLDS_MIN, "holds_min", where)
    return Source(told["territory"], path.stem, told["name"], told["url"], every_s, timedelta(minutes=holds_min))


def _between(value: object, least: int, most: int, key: str, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadSource(
            gettext_noop("{key} : {value} hors des bornes"), where=where, remedy=gettext_noop("de {least} à {most}"),
            key=key, value=str(value)[:20], least=least, most=most,
        )  # fmt: skip
    return value
