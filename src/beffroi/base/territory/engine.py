"""What can be said of a territory without a database: codes, slugs, boxes, secrets. Knows no Django."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

import shapely
from shapely.geometry.base import BaseGeometry

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.geo import BBox
from beffroi.base.kernel.sentences import Sentence

INSEE_PATTERN = r"^(2[AB]|[0-9]{2})[0-9]{3}$"
SIREN_PATTERN = r"^[0-9]{9}$"

# INSEE gives 99 to foreign countries: no French commune bears it (code officiel géographique).
SANDBOX_PREFIX = "99"

DATA_AGENTS = "data:agents"
DATA_WRITE = "data:write"
LOCKS = "locks:read"
STOCK = "stock"
STOCK_OF = "stock:"
"""Before a SIREN: whose stock a key that has `STOCK` exchanges."""

SCOPES: dict[str, Sentence] = {
    DATA_AGENTS: Sentence("Lire les données réservées aux agents"),
    DATA_WRITE: Sentence("Déposer et corriger des données"),
    "catalogue:write": Sentence("Changer l'état des services"),
    "reports:write": Sentence("Créer et suivre des signalements au nom d'un autre logiciel"),
    "observations:write": Sentence("Envoyer les mesures de capteurs"),
    LOCKS: Sentence("Lire les codes d’accès des réservations, pour une serrure"),
    STOCK: Sentence("Échanger le patrimoine d’un bailleur, celui de son SIREN et aucun autre"),
}
"""What an API key may be given, and nothing else. A key without scopes reads what everyone reads."""

KEY_SHAPE = re.compile(r"^bef_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$")


def scope_is_known(scope: str) -> bool:
    """Tell whether a key may be given `scope`: one of `SCOPES`, or the stock of a landlord by its SIREN."""
    return scope in SCOPES or bool(re.fullmatch(STOCK_OF + r"\d{9}", scope))


class BadCode(BeffroiError):
    """A code of a commune or grouping is not one."""


class BadShape(BeffroiError):
    """A polygon cannot be kept as a zone."""


def checked_insee(code: str) -> str:
    """Return `code` when it has the form of a commune's INSEE code, Corsica (2A, 2B) included.

    Raises:
        BadCode: it has not.

    Source: INSEE, code officiel géographique, https://www.insee.fr/fr/information/2560452.

    >>> checked_insee("2A004")
    '2A004'
    """
    if not re.fullmatch(INSEE_PATTERN, code):
        raise BadCode(
            "code INSEE « {code} » impossible",
            where="commune",
            remedy="donnez cinq caractères, par exemple 34172 ou 2A004",
            code=code[:40],
        )
    return code


def is_sandbox(code: str) -> bool:
    """Tell whether a code is that of a sandbox: nothing there is real, nothing may leave it (e-mails, public data).

    >>> is_sandbox("99000"), is_sandbox("34172"), is_sandbox("998000004")
    (True, False, False)
    """
    return len(code) == 5 and code.startswith(SANDBOX_PREFIX)


class _Placed(Protocol):
    @property
    def territory(self) -> str: ...


Heard = TypeVar("Heard", bound=_Placed)


def real_only(handler: Callable[[Heard], None]) -> Callable[[Heard], None]:
    """Return a consumer of the journal that hears nothing of a sandbox: for all that leads outside (mail, webhooks)."""

    @wraps(handler)
    def hear(event: Heard) -> None:
        if not is_sandbox(event.territory):
            handler(event)

    return hear


def checked_siren(siren: str) -> str:
    """Return `siren` without its spaces when its nine digits satisfy the Luhn check.

    Raises:
        BadCode: not nine digits, or a digit was mistyped.

    Source: INSEE, répertoire SIRENE; Luhn check, ISO/IEC 7812-1 annex B.

    >>> checked_siren("213 401 722")
    '213401722'
    """
    digits = re.sub(r"\s", "", siren)
    if re.fullmatch(SIREN_PATTERN, digits) and luhn_sum(digits) % 10 == 0:
        return digits
    raise BadCode(
        "numéro SIREN « {siren} » faux",
        where="siren",
        remedy="vérifiez ses neuf chiffres : le dernier est une clé de contrôle",
        siren=siren[:40],
    )


def luhn_sum(digits: str) -> int:
    """Return the Luhn sum of a string of digits; a number is valid when it is a multiple of ten.

    >>> luhn_sum("732829320")
    40
    """
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled)


def department_of(insee: str) -> str:
    """Return the department of a commune: two characters, three overseas.

    >>> [department_of(code) for code in ("34172", "2A004", "97411")]
    ['34', '2A', '974']
    """
    return insee[:3] if insee.startswith(("97", "98")) else insee[:2]


def slug_of(name: str) -> str:
    """Return `name` in lower-case ASCII words joined by hyphens.

    >>> slug_of("L'Haÿ-les-Roses")
    'l-hay-les-roses'
    """
    ascii_name = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "Oe")).encode("ascii", "ignore")
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.decode().lower()).strip("-")


def polygon_of(shape: BaseGeometry | bytes, *, where: str) -> shapely.Polygon | shapely.MultiPolygon:
    """Return a valid, non-empty polygon or multipolygon (CRS84) made from `shape` or its WKB.

    A self-touching outline is mended rather than refused: published outlines often have one.

    Raises:
        BadShape: unreadable, empty, not an area, or out of the globe.
    """
    try:
        geometry = shapely.from_wkb(shape) if isinstance(shape, bytes) else shape
        geometry = shapely.force_2d(shapely.make_valid(geometry))
    except (shapely.errors.ShapelyError, TypeError):
        raise BadShape("contour illisible", where=where, remedy="donnez un polygone en WKB") from None
    if isinstance(geometry, shapely.GeometryCollection):
        # make_valid leaves lines and points where an outline folds on itself: only the areas count.
        areas = [part for part in geometry.geoms if part.geom_type.endswith("Polygon")]
        geometry = shapely.union_all(areas)
    if not isinstance(geometry, (shapely.Polygon, shapely.MultiPolygon)) or geometry.is_empty:
        raise BadShape("le contour n'est pas une surface", where=where, remedy="donnez un polygone fermé")
    west, south, east, north = geometry.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadShape("le contour sort du globe", where=where, remedy="donnez des degrés, longitude puis latitude")
    return geometry


def bbox_of(shape: BaseGeometry) -> BBox:
    """Return the box of a geometry, in its own units."""
    return BBox(*shape.bounds)


def new_secret() -> tuple[str, str, str]:
    """Return a new API key as (whole key to show once, prefix to find it by, hash to keep)."""
    prefix = secrets.token_hex(6)
    key = f"bef_{prefix}_{secrets.token_urlsafe(32)}"
    return key, prefix, secret_hash(key)


def secret_hash(key: str) -> str:
    """Return what is kept of an API key. 256 random bits need no slow hash: guessing them is hopeless already."""
    return hashlib.sha256(key.encode()).hexdigest()


def same_secret(key: str, kept: str) -> bool:
    """Tell whether `key` is the one `kept` was made of, in constant time."""
    return secrets.compare_digest(secret_hash(key), kept)


def key_prefix(key: str) -> str | None:
    """Return the prefix of a well-formed API key, None of anything else."""
    match = KEY_SHAPE.fullmatch(key)
    return match[1] if match else None
