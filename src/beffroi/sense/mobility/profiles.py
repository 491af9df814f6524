"""Profiles: data files that say what is impossible, slow or unpleasant for someone, with the source of each figure.

title  = "Fauteuil roulant manuel"
plain  = "Je me déplace en fauteuil roulant manuel"
mode   = "foot"                       # foot, bicycle, car, lorry
order  = 20                           # rank in lists
needs  = ["width", "surface", "slope", "kerb"]   # what must be known for a street to count as documented

[speed]       kmh, or limit_share (share of the speed limit, for vehicles) and junction_s
[[slope]]     upto_pct, speed (times the flat speed), cost (times the time), in rising order
[surface]     name = [speed, cost], or false: impossible
[impossible]  stairs, max_slope_pct, max_kerb_cm, min_width_cm, kinds, wheels
[stairs]      step_s, cost             [kerb] cm_s, unknown_s      [crossing] marked_s, signals_s, unmarked_s, unsure_s
[kinds]       name = times the cost    [unknown] attribute = times the cost     [night] unlit, unsure, deserted
[size]        weight_kg, height_cm, width_cm
[adjustable]  what the person may set: max_slope_pct = [least, most], max_kerb_cm, min_width_cm, stairs = true
[sources]     table or table.key = where the figures come from
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError, NotFound
from beffroi.base.kernel.resources import shipped_folder
from beffroi.sense.mobility.data_files import read_each
from beffroi.sense.mobility.vocabulary import Attribute, Kind, Mode, Surface

MODES = {"foot": Mode.FOOT, "bicycle": Mode.BICYCLE, "car": Mode.CAR, "lorry": Mode.LORRY}
NEEDS = {item.name.lower(): item for item in Attribute}


class BadProfile(BeffroiError):
    """A profile file does not read; it is left out and said."""


class ProfileNotFound(NotFound):
    """No profile has that name."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Up to a slope (percent): the speed as a share of that on the flat, and how many times its time it costs."""

    upto_pct: float
    speed: float
    cost: float


@dataclass(frozen=True, slots=True)
class Profile:
    """How someone moves. Costs are seconds as felt: the time, times what makes it worse."""

    slug: str
    title: str
    plain: str
    mode: Mode
    order: int
    needs: tuple[Attribute, ...]
    kmh: float
    limit_share: float
    junction_s: float
    slopes: tuple[Slope, ...]
    surfaces: dict[Surface, tuple[float, float] | None]
    stairs_allowed: bool
    max_slope_pct: float | None
    max_kerb_cm: int | None
    min_width_cm: int | None
    barred_kinds: frozenset[Kind]
    wheels: bool
    step_s: float
    step_cost: float
    kerb_cm_s: float
    kerb_unknown_s: float
    crossings_s: tuple[float, float, float, float]
    kinds: dict[Kind, float]
    unknown: dict[Attribute, float]
    unlit: float
    unsure: float
    deserted: float
    weight_kg: int
    height_cm: int
    width_cm: int
    adjustable: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    documented_only: bool = False

    @property
    def vehicle(self) -> bool:
        """Tell whether it obeys turn restrictions."""
        return self.mode in (Mode.CAR, Mode.LORRY, Mode.BICYCLE)

    def adjusted(
        self,
        *,
        max_slope_pct: float | None = None,
        max_kerb_cm: int | None = None,
        min_width_cm: int | None = None,
        stairs: bool | None = None,
        documented_only: bool = False,
    ) -> Profile:
        """Return the profile as the person set it, within what its file lets her set.

        Raises:
            BadAdjustment: the setting is not one of this profile's, or out of its bounds.
        """
        wanted = {"max_slope_pct": max_slope_pct, "max_kerb_cm": max_kerb_cm, "min_width_cm": min_width_cm}
        changes: dict[str, Any] = {}
        for key, value in wanted.items():
            if value is None:
                continue
            bounds = self.adjustable.get(key)
            if bounds is None:
                raise BadAdjustment(
                    "le profil « {profile} » n'a pas ce réglage",
                    where=key,
                    remedy="retirez-le, ou choisissez un autre profil",
                    profile=self.title,
                )
            if not bounds[0] <= value <= bounds[1]:
                raise BadAdjustment(
                    "réglage {value} hors des bornes du profil « {profile} »",
                    where=key,
                    remedy="de {least} à {most}",
                    value=f"{value:g}",
                    profile=self.title,
                    least=bounds[0],
                    most=bounds[1],
                )
            changes[key] = value
        if stairs is not None and stairs != self.stairs_allowed:
            if not self.adjustable.get("stairs"):
                raise BadAdjustment(
                    "le profil « {profile} » ne laisse pas choisir les escaliers",
                    where="stairs",
                    remedy="retirez ce réglage, ou choisissez un autre profil",
                    profile=self.title,
                )
            changes["stairs_allowed"] = stairs
        return replace(self, **changes, documented_only=documented_only)

    def sized(self, *, width_cm: int = 0, height_cm: int = 0, weight_kg: int = 0) -> Profile:
        """Return the profile of a vehicle of another size; a size of 0 stays that of the profile."""
        return replace(
            self,
            width_cm=width_cm or self.width_cm,
            height_cm=height_cm or self.height_cm,
            weight_kg=weight_kg or self.weight_kg,
        )

    def unsized(self) -> Profile:
        """Return the profile as if its vehicle were small enough for any street."""
        return replace(self, width_cm=0, height_cm=0, weight_kg=0)

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what tells two settings of one profile apart."""
        limits = (self.max_slope_pct, self.max_kerb_cm, self.min_width_cm, self.stairs_allowed)
        size = (self.weight_kg, self.height_cm, self.width_cm)
        return (self.slug, *limits, self.documented_only, *size)


class BadAdjustment(BeffroiError):
    """A person's setting does not suit the profile."""


_TABLES: dict[str, tuple[str, ...]] = {
    "speed": ("kmh", "limit_share", "junction_s"),
    "impossible": ("stairs", "max_slope_pct", "max_kerb_cm", "min_width_cm", "kinds", "wheels"),
    "stairs": ("step_s", "cost"),
    "kerb": ("cm_s", "unknown_s"),
    "crossing": ("marked_s", "signals_s", "unmarked_s", "unsure_s"),
    "surface": tuple(item.name.lower() for item in Surface),
    "kinds": tuple(item.name.lower() for item in Kind),
    "unknown": tuple(NEEDS),
    "night": ("unlit", "unsure", "deserted"),
    "size": ("weight_kg", "height_cm", "width_cm"),
    "adjustable": ("max_slope_pct", "max_kerb_cm", "min_width_cm", "stairs"),
}
_TOP = ("title", "plain", "mode", "order", "needs", "slope", "sources", *_TABLES)
_SOURCED = (
    "speed",
    "slope",
    "impossible",
    "stairs",
    "kerb",
    "crossing",
    "surface",
    "kinds",
    "unknown",
    "night",
    "size",
)


def read_profile(path: Path) -> Profile:
    """Read one profile.

    Raises:
        BadProfile: says the file, the key, the reason and the remedy.
    """
    where = f"profiles/{path.name}"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProfile(
            "TOML illisible ({reason})", where=where, remedy="corrigez la ligne indiquée", reason=str(error)
        ) from error
    _check_keys(table, where)
    _check_values(table, where)
    return _profile(path.stem, table)


def _refuse(where: str, key: str, what: str, remedy: str, **values: Any) -> None:
    raise BadProfile(f"{{key}} : {what}", where=where, remedy=remedy, key=key, **values)


def _check_keys(table: dict[str, Any], where: str) -> None:
    def known(key: str, allowed: tuple[str, ...], path: str) -> None:
        if key in allowed:
            return
        near = difflib.get_close_matches(key, allowed, 1)
        remedy = "vouliez-vous « {near} » ?" if near else "clés possibles : {allowed}"
        _refuse(where, path, "clé inconnue", remedy, near=near[0] if near else "", allowed=", ".join(allowed))

    for key, value in table.items():
        known(key, _TOP, key)
        if key in _TABLES:
            if not isinstance(value, dict):
                _refuse(where, key, "une table est attendue", "écrivez [{name}]", name=key)
            for inner in value:
                known(inner, _TABLES[key], f"{key}.{inner}")
    for key in ("title", "plain", "mode", "order", "speed", "sources"):
        if key not in table:
            _refuse(where, key, "absent", "ajoutez cette clé : elle est obligatoire")
    if table["mode"] not in MODES:
        _refuse(where, "mode", "valeur « {value} » inconnue", "valeurs possibles : {all}", value=table["mode"],
                all=", ".join(MODES))  # fmt: skip
    for need in table.get("needs", []):
        known(need, tuple(NEEDS), "needs")
    for name in table.get("impossible", {}).get("kinds", []):
        known(name, _TABLES["kinds"], "impossible.kinds")


def _check_values(table: dict[str, Any], where: str) -> None:
    sources = table["sources"]
    for key in _SOURCED:
        told = key in sources or (
            isinstance(table.get(key), dict) and all(f"{key}.{inner}" in sources for inner in table[key])
        )
        if table.get(key) and not told:
            _refuse(where, key, "chiffres sans source", 'dites-la sous [sources] : {name} = "…"', name=key)
    for key in ("speed", "stairs", "kerb", "crossing", "kinds", "unknown", "night", "size"):
        for inner, value in table.get(key, {}).items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or value < 0:
                _refuse(where, f"{key}.{inner}", "un nombre positif est attendu", "écrivez un nombre sans guillemets")
    if not any(table["speed"].get(key) for key in ("kmh", "limit_share")):
        _refuse(where, "speed", "aucune vitesse", "donnez kmh, ou limit_share pour un véhicule")
    steps = table.get("slope", [])
    bounds = [step.get("upto_pct") for step in steps]
    complete = all(
        isinstance(step.get(key), (int, float)) and step[key] > 0
        for step in steps
        for key in ("upto_pct", "speed", "cost")
    )
    if not complete or bounds != sorted(set(bounds)):
        _refuse(where, "slope", "marches illisibles", "donnez upto_pct, speed et cost, par pente croissante")
    for name, value in table.get("surface", {}).items():
        fine = value is False or (isinstance(value, list) and len(value) == 2 and all(item > 0 for item in value))
        if not fine:
            _refuse(
                where, f"surface.{name}", "valeur illisible", "donnez [vitesse, coût], ou false si c'est impossible"
            )
    if any(value < 1 for key in ("unknown",) for value in table.get(key, {}).values()):
        _refuse(
            where, "unknown", "facteur inférieur à 1", "ce que l'on ignore ne peut coûter moins que ce que l'on sait"
        )


def _profile(slug: str, table: dict[str, Any]) -> Profile:
    impossible, crossing = table.get("impossible", {}), table.get("crossing", {})
    night, size, speed = table.get("night", {}), table.get("size", {}), table["speed"]
    crossings = [float(crossing.get(f"{name}_s", 0)) for name in ("marked", "signals", "unmarked", "unsure")]
    return Profile(
        slug=slug,
        title=table["title"],
        plain=table["plain"],
        mode=MODES[table["mode"]],
        order=table["order"],
        needs=tuple(NEEDS[name] for name in table.get("needs", [])),
        kmh=float(speed.get("kmh", 0)),
        limit_share=float(speed.get("limit_share", 0)),
        junction_s=float(speed.get("junction_s", 0)),
        slopes=tuple(Slope(step["upto_pct"], step["speed"], step["cost"]) for step in table.get("slope", [])),
        surfaces={
            Surface[name.upper()]: None if value is False else (float(value[0]), float(value[1]))
            for name, value in table.get("surface", {}).items()
        },
        stairs_allowed=not impossible.get("stairs", False),
        max_slope_pct=impossible.get("max_slope_pct"),
        max_kerb_cm=impossible.get("max_kerb_cm"),
        min_width_cm=impossible.get("min_width_cm"),
        barred_kinds=frozenset(Kind[name.upper()] for name in impossible.get("kinds", [])),
        wheels=bool(impossible.get("wheels", False)),
        step_s=float(table.get("stairs", {}).get("step_s", 0)),
        step_cost=float(table.get("stairs", {}).get("cost", 1)),
        kerb_cm_s=float(table.get("kerb", {}).get("cm_s", 0)),
        kerb_unknown_s=float(table.get("kerb", {}).get("unknown_s", 0)),
        crossings_s=(crossings[0], crossings[1], crossings[2], crossings[3]),
        kinds={Kind[name.upper()]: float(value) for name, value in table.get("kinds", {}).items()},
        unknown={NEEDS[name]: float(value) for name, value in table.get("unknown", {}).items()},
        unlit=float(night.get("unlit", 1)),
        unsure=float(night.get("unsure", 1)),
        deserted=float(night.get("deserted", 1)),
        weight_kg=int(size.get("weight_kg", 0)),
        height_cm=int(size.get("height_cm", 0)),
        width_cm=int(size.get("width_cm", 0)),
        adjustable=table.get("adjustable", {}),
        sources=dict(table["sources"]),
    )


@lru_cache(maxsize=1)
def load_profiles() -> tuple[dict[str, Profile], tuple[BadProfile, ...]]:
    """Return the profiles that read, by slug in the order of lists, and why the others do not."""
    found, problems = read_each(shipped_folder("mobility") / "profiles", read_profile, BadProfile)
    found.sort(key=lambda one: (one.order, one.slug))
    return {one.slug: one for one in found}, tuple(problems)


def profile_named(slug: str) -> Profile:
    """Return the profile `slug`.

    Raises:
        ProfileNotFound: none is so named; says which there are.
    """
    known, _ = load_profiles()
    if slug not in known:
        raise ProfileNotFound(
            "profil « {slug} » inconnu",
            where="profile",
            remedy="profils possibles : {all}",
            slug=slug[:40],
            all=", ".join(known),
        )
    return known[slug]
