"""What the page of routes asks and tells: its form, its answer in words, its drawing of heights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from beffroi.faces.shell.addresses import Address, AddressField, as_typed
from beffroi.faces.shell.sentences import said
from beffroi.sense.mobility import queries
from beffroi.sense.mobility.profiles import Profile
from beffroi.sense.mobility.queries import Answer, Arrival
from beffroi.sense.mobility.routes import Route
from beffroi.sense.mobility.words import SURFACES, barrier

PROFILES = {
    # The words of the data files, marked here for translation.
    "a-pied": gettext_noop("Je marche sans difficulté"),
    "fauteuil-manuel": gettext_noop("Je me déplace en fauteuil roulant manuel"),
    "fauteuil-electrique": gettext_noop("Je me déplace en fauteuil roulant électrique"),
    "marche-difficile": gettext_noop("Je marche avec difficulté (canne, béquilles, fatigue)"),
    "malvoyance": gettext_noop("Je vois mal ou je ne vois pas"),
    "poussette": gettext_noop("Je pousse une poussette ou un chariot"),
    "nuit": gettext_noop("Je rentre à pied le soir par les rues éclairées et fréquentées"),
    "velo": gettext_noop("Je roule à vélo"),
    "voiture": gettext_noop("Je conduis une voiture"),
    "fourgon": gettext_noop("Je conduis un fourgon de 3,5 tonnes"),
    "benne": gettext_noop("Je conduis une benne à ordures de 26 tonnes"),
}
OBSTACLES = (
    gettext_noop("Trottoir encombré"),
    gettext_noop("Trottoir abîmé"),
    gettext_noop("Travaux"),
    gettext_noop("Rue fermée à tous"),
    gettext_noop("Rue fermée à la circulation"),
    gettext_noop("Ascenseur en panne"),
    gettext_noop("Escalier fermé"),
    gettext_noop("Éclairage en panne"),
    gettext_noop("Lieu signalé comme inquiétant"),
    gettext_noop("Obstacle signalé, pas encore confirmé"),
    gettext_noop("Rue inondée"),
    gettext_noop("Travaux : rue fermée aux piétons"),
    gettext_noop("Travaux : rue fermée aux vélos"),
    gettext_noop("Travaux : rue fermée aux voitures"),
    gettext_noop("Travaux : rue fermée aux poids lourds"),
    gettext_noop("Travaux : circulation alternée"),
)
_BOARDING: dict[bool | None, str] = {
    True: gettext_noop("accessible en fauteuil"),
    False: gettext_noop("non accessible en fauteuil"),
    None: gettext_noop("accès en fauteuil inconnu"),
}
_PLACE_HELP = gettext_lazy("Une adresse, ou touchez la carte.")


def plain(profile: Profile) -> str:
    """Return how a person names a profile, in her language."""
    return _(PROFILES.get(profile.slug, profile.plain))


def place_read(text: str) -> tuple[float, float] | None:
    """Read « longitude, latitude », with French decimal commas or not; None when the text is something else."""
    parts = text.replace(";", " ").split()
    if len(parts) == 1:
        parts = text.split(",")
    numbers = [part.strip(" ,").replace(",", ".") for part in parts if part.strip(" ,")]
    try:
        lon, lat = (float(number) for number in numbers)
    except ValueError:
        return None
    return (lon, lat) if -180 <= lon <= 180 and -90 <= lat <= 90 else None


class PlaceField(AddressField):
    """An address, or a longitude and a latitude as the map writes them."""

    def to_python(self, value: Any) -> Address | None:
        """Return the place meant.

        Raises:
            ValidationError: no address answers, or several do.
        """
        typed = as_typed(value)
        place = place_read(typed.text)
        return super().to_python(value) if place is None else Address(typed.text, *place)


class ItineraryForm(forms.Form):
    """From where, to where, how."""

    de = PlaceField(label=gettext_lazy("Départ"), help_text=_PLACE_HELP)
    vers = PlaceField(label=gettext_lazy("Arrivée"), help_text=_PLACE_HELP)
    profil = forms.ChoiceField(label=gettext_lazy("Comment vous déplacez-vous ?"))
    pente = forms.FloatField(label=gettext_lazy("Pente la plus forte (%)"), required=False, min_value=0, max_value=60)
    ressaut = forms.IntegerField(
        label=gettext_lazy("Ressaut le plus haut (cm)"), required=False, min_value=0, max_value=60
    )
    escaliers = forms.ChoiceField(
        label=gettext_lazy("Escaliers"),
        required=False,
        choices=[
            ("", gettext_lazy("Selon le profil")),
            ("non", gettext_lazy("Jamais")),
            ("oui", gettext_lazy("Acceptés")),
        ],
    )
    documente = forms.BooleanField(
        label=gettext_lazy("Seulement par des rues documentées"),
        required=False,
        help_text=gettext_lazy("Ce que personne n’a relevé est écarté : moins de chemins, moins de surprises."),
    )

    def __init__(self, *args: Any, profiles: Sequence[Profile], citycode: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("de", "vers"):
            self.fields[name].citycode = citycode  # type: ignore[attr-defined]
        field = self.fields["profil"]
        field.choices = [(one.slug, plain(one)) for one in profiles]  # type: ignore[attr-defined]

    @property
    def has_settings(self) -> bool:
        """Tell whether the person set something of her own."""
        return any(self.data.get(name) for name in ("pente", "ressaut", "escaliers", "documente"))


def place_of(address: Address) -> tuple[float, float]:
    """Return the longitude and latitude of an address."""
    return address.lon, address.lat


def asked_route(form: ItineraryForm, territory: str, at: Any) -> Answer:
    """Ask for the route of a valid form."""
    data = form.cleaned_data
    stairs = {"oui": True, "non": False}.get(data["escaliers"])
    profile = queries.profile(data["profil"])
    # A setting the profile does not have is left aside: the page shows it only where it counts.
    kept = {
        "max_slope_pct": data["pente"] if "max_slope_pct" in profile.adjustable else None,
        "max_kerb_cm": data["ressaut"] if "max_kerb_cm" in profile.adjustable else None,
        "stairs": stairs if profile.adjustable.get("stairs") else None,
    }
    chosen = profile.adjusted(**kept, documented_only=data["documente"])
    return queries.route(
        territory, profile=chosen, start=place_of(data["de"]), goal=place_of(data["vers"]), at=at, most=3
    )


def api_address(form: ItineraryForm, answer: Answer) -> str:
    """Return the address of the same answer as GeoJSON, for the map of the page."""
    profile = answer.profile
    asked: dict[str, Any] = {
        "profile": profile.slug,
        "from": ",".join(f"{one:.6f}" for one in place_of(form.cleaned_data["de"])),
        "to": ",".join(f"{one:.6f}" for one in place_of(form.cleaned_data["vers"])),
        "alternatives": 3,
    }
    usual = queries.profile(profile.slug)
    for key in ("max_slope_pct", "max_kerb_cm"):
        if getattr(profile, key) != getattr(usual, key):
            asked[key] = getattr(profile, key)
    if profile.stairs_allowed != usual.stairs_allowed:
        asked["stairs"] = "true" if profile.stairs_allowed else "false"
    if profile.documented_only:
        asked["documented_only"] = "true"
    return "/api/route?" + urlencode(asked)


# --- Words ----------------------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Return a duration as one says it, by the minute."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes:02d}").format(hours=minutes // 60, minutes=minutes % 60)


def distance(metres: float) -> str:
    """Return a length as one says it: by ten metres, then in kilometres."""
    if metres < 1000:
        return _("{metres} m").format(metres=int(round(metres, -1)) if metres >= 20 else max(1, round(metres)))
    return _("{kilometres} km").format(kilometres=f"{metres / 1000:.1f}".replace(".", _(",")))


@dataclass(frozen=True, slots=True)
class Told:
    """A route in words: its sentence, its facts (title, value), its steps, its drawing of heights."""

    title: str
    facts: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str, str], ...]
    obstacles: tuple[str, ...]
    drawing: Mapping[str, Any] | None
    documented_pct: int


def told_routes(answer: Answer) -> list[Told]:
    """Return the routes of an answer in words."""
    return [
        Told(
            title=_("{time}, {length}").format(time=duration(one.time_s), length=distance(one.length_m)),
            facts=tuple(_facts(one)),
            steps=tuple(
                (said(step.sentence), distance(step.length_m) if step.length_m else "", step.landmark) for step in told
            ),
            obstacles=tuple(_obstacle(obstacle) for obstacle in one.obstacles),
            drawing=heights_drawing(one),
            documented_pct=int(100 * one.documented_share),
        )
        for one, told in zip(answer.routes, answer.instructions, strict=True)
    ]


def _obstacle(obstacle: Any) -> str:
    text = _(obstacle.title)
    if obstacle.label:
        text = f"{text} : {obstacle.label}"
    return text


def _facts(one: Route) -> list[tuple[str, str]]:
    unknown = _("inconnu")
    slope = (
        unknown
        if one.steepest_up_pct is None
        else _("{up} % en montée, {down} % en descente").format(
            up=round(one.steepest_up_pct), down=round(one.steepest_down_pct or 0)
        )
    )
    facts = [
        (_("Montée"), unknown if one.climb_m is None else _("{climb} m, et {descent} m de descente").format(
            climb=round(one.climb_m), descent=round(one.descent_m or 0))),
        (_("Pente la plus forte"), slope),
        (_("Escaliers"), _stairs(one)),
        (_("Traversées"), _crossings(one)),
        (_("Ressauts"), _kerbs(one)),
        (_("Sols"), _surfaces(one)),
    ]  # fmt: skip
    if one.narrowest_cm:
        facts.append(
            (
                _("Passage le plus étroit relevé"),
                _("{width} m").format(width=f"{one.narrowest_cm / 100:.2f}".replace(".", _(","))),
            )
        )
    if one.lifts:
        facts.append((_("Ascenseurs"), str(one.lifts)))
    facts.append(
        (
            _("Éclairé"),
            _("{share} % du chemin").format(share=round(100 * one.lit_m / one.length_m) if one.length_m else 100),
        )
    )
    return facts


def _stairs(one: Route) -> str:
    if not one.flights:
        return _("aucun")
    return ngettext("un escalier, {steps} marches", "{count} escaliers, {steps} marches", one.flights).format(
        count=one.flights, steps=one.steps
    )


def _crossings(one: Route) -> str:
    if not one.crossings:
        return _("aucune connue")
    return _("{count}, dont {signals} avec feux").format(count=one.crossings, signals=one.signals)


def _kerbs(one: Route) -> str:
    parts = (
        [_("le plus haut : {height} cm").format(height=one.kerb_cm)] if one.kerb_cm is not None else [_("aucun relevé")]
    )
    if one.kerbs_unknown:
        parts.append(ngettext("{count} de hauteur inconnue", "{count} de hauteur inconnue", one.kerbs_unknown).format(
            count=one.kerbs_unknown))  # fmt: skip
    return " ; ".join(parts)


def _surfaces(one: Route) -> str:
    parts = sorted(one.surfaces.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{_(SURFACES[key])} ({distance(metres)})" for key, metres in parts if metres >= 1)


def why_told(answer: Answer) -> dict[str, Any] | None:
    """Return why the best way is the one given: what the quickest would have met and what avoiding it costs."""
    why = answer.why
    if why is None:
        return None
    extra = ""
    if why.extra_s >= 30:
        extra = _("Ce détour ajoute {time} et {length} au chemin le plus rapide.").format(
            time=duration(why.extra_s), length=distance(why.extra_m)
        )
    return {
        "same": why.same or not why.barriers,
        "barriers": [said(barrier(one)) for one in why.barriers],
        "extra": extra,
    }


def arrival_told(found: Arrival) -> dict[str, Any] | None:
    """Return what is known of the door and of the stops where one arrives, each with its source and its date."""
    stops = [
        {
            "name": one.name,
            "lines": ", ".join(one.lines),
            "access": _(_BOARDING[one.wheelchair]),
            "away": distance(one.distance_m),
            "source": one.source,
            "date": date.fromisoformat(one.date),
        }
        for one in found.stops
    ]
    venue = found.venue
    if venue is None and not stops:
        return None
    told = venue and {
        "name": venue.name,
        "facts": " ; ".join(said(one) for one in venue.facts),
        "source": venue.source,
        "date": date.fromisoformat(venue.date),
    }
    return {"venue": told, "stops": stops}


def no_way_told(answer: Answer) -> dict[str, Any] | None:
    """Return why there is no way, how far one gets and what would open one."""
    none = answer.no_way
    if none is None:
        return None
    farthest = none.farthest
    return {
        "barriers": [said(barrier(one)) for one in none.all_barriers],
        "opens": said(barrier(none.opens)) if none.opens else "",
        "farthest": _("On peut approcher à {left} de l’arrivée à vol d’oiseau, après {length}.").format(
            left=distance(none.left_m), length=distance(farthest.length_m)) if farthest else "",
    }  # fmt: skip


# --- Drawing --------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, MARGIN = 640, 160, 28


def heights_drawing(route: Route) -> dict[str, Any] | None:
    """Return the drawing of heights along a route: points of a line and of the ground under it, bounds, words."""
    if len(route.rises) < 2 or route.length_m <= 0:
        return None
    low, high = min(height for _, height in route.rises), max(height for _, height in route.rises)
    # At least ten metres from bottom to top: a flat street must look flat.
    span = max(10.0, high - low)
    middle = (low + high) / 2
    points = [
        (
            MARGIN + walked / route.length_m * (WIDTH - 2 * MARGIN),
            HEIGHT / 2 - (height - middle) / span * (HEIGHT - 2 * MARGIN),
        )
        for walked, height in route.rises
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    base = HEIGHT - 12
    ground = f"{points[0][0]:.1f},{base} {line} {points[-1][0]:.1f},{base}"
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "margin": MARGIN,
        "line": line,
        "ground": ground,
        "low": round(low),
        "high": round(high),
        "length": distance(route.length_m),
        "said": _("De {low} m à {high} m par rapport au départ, sur {length}.").format(
            low=round(low), high=round(high), length=distance(route.length_m)
        ),
    }


def gpx_of(answer: Answer, rank: int) -> str:
    """Return a route as a GPX 1.1 track with its turns as way points."""
    from xml.sax.saxutils import escape

    route = answer.routes[rank]
    turns = "".join(
        f'<wpt lat="{step.lat:.6f}" lon="{step.lon:.6f}"><name>{escape(said(step.sentence))}</name></wpt>'
        for step in answer.instructions[rank]
    )
    track = "".join(f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}"/>' for lon, lat in route.coordinates)
    name = escape(plain(answer.profile))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Beffroi" xmlns="http://www.topografix.com/GPX/1/1">'
        f"{turns}<trk><name>{name}</name><trkseg>{track}</trkseg></trk></gpx>\n"
    )
