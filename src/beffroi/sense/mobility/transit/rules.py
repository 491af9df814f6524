"""What a feed is checked for: the name of each rule, how grave it is, what it says and how to mend it.

Names are those of the canonical GTFS validator (MobilityData), so that a publisher finds them there too; the few that
it does not have, about accessibility, say so by their prefix ``beffroi_``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from beffroi.base.kernel.sentences import gettext_noop


class Severity(StrEnum):
    """How grave a fault is: it breaks the reference, it spoils the service, it is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `title` and `remedy` are French templates."""

    severity: Severity
    title: str
    remedy: str


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO

RULES: dict[str, Rule] = {
    "missing_required_file": Rule(
        _E, gettext_noop("Fichier obligatoire absent"), gettext_noop("ajoutez ce fichier à l’archive")
    ),
    "missing_calendar_and_calendar_date_files": Rule(
        _E,
        gettext_noop("Ni calendar.txt ni calendar_dates.txt"),
        gettext_noop("donnez l’un des deux : sans eux, aucun véhicule ne circule"),
    ),
    "missing_required_column": Rule(
        _E, gettext_noop("Colonne obligatoire absente"), gettext_noop("ajoutez cette colonne")
    ),
    "missing_required_field": Rule(
        _E, gettext_noop("Valeur obligatoire absente"), gettext_noop("remplissez cette valeur")
    ),
    "duplicate_key": Rule(
        _E,
        gettext_noop("Identifiant déjà pris"),
        gettext_noop("donnez à chaque ligne son identifiant ; seule la première est lue"),
    ),
    "foreign_key_violation": Rule(
        _E,
        gettext_noop("Référence à un identifiant qui n’existe pas"),
        gettext_noop("corrigez l’identifiant ou ajoutez ce qu’il désigne ; la ligne n’est pas lue"),
    ),
    "invalid_time": Rule(
        _E, gettext_noop("Heure illisible"), gettext_noop("écrivez HH:MM:SS ; après minuit, 24:10:00, 25:30:00…")
    ),
    "invalid_date": Rule(_E, gettext_noop("Date illisible"), gettext_noop("écrivez AAAAMMJJ, par exemple 20260329")),
    "invalid_color": Rule(
        _W,
        gettext_noop("Couleur illisible"),
        gettext_noop("écrivez six chiffres hexadécimaux sans #, par exemple 1F5FA8"),
    ),
    "invalid_timezone": Rule(
        _E, gettext_noop("Fuseau horaire inconnu"), gettext_noop("écrivez par exemple Europe/Paris")
    ),
    "start_and_end_range_out_of_order": Rule(
        _E, gettext_noop("Fin avant le début"), gettext_noop("mettez les deux dates dans l’ordre")
    ),
    "stop_time_with_arrival_before_previous_departure_time": Rule(
        _E,
        gettext_noop("Heure qui recule d’un arrêt au suivant"),
        gettext_noop(
            "corrigez l’heure ou l’ordre des arrêts (stop_sequence) ; après minuit, on compte 24:00:00 et plus"
        ),
    ),
    "stop_time_with_departure_before_arrival_time": Rule(
        _E, gettext_noop("Départ avant l’arrivée au même arrêt"), gettext_noop("corrigez l’une des deux heures")
    ),
    "missing_trip_edge": Rule(
        _E,
        gettext_noop("Course sans heure à son premier ou à son dernier arrêt"),
        gettext_noop("donnez au moins ces deux heures : les autres s’en déduisent"),
    ),
    "point_near_origin": Rule(
        _E, gettext_noop("Arrêt placé au large de l’Afrique (0, 0)"), gettext_noop("donnez ses coordonnées")
    ),
    "number_out_of_range": Rule(
        _E, gettext_noop("Coordonnée hors du globe ou absente"), gettext_noop("donnez des degrés décimaux")
    ),
    "location_without_parent_station": Rule(
        _E,
        gettext_noop("Entrée ou quai qui ne dit pas sa station"),
        gettext_noop("remplissez parent_station"),
    ),
    "unusable_trip": Rule(
        _W,
        gettext_noop("Course qui ne dessert pas deux arrêts"),
        gettext_noop("complétez stop_times.txt ou retirez la course"),
    ),
    "stop_without_stop_time": Rule(
        _W, gettext_noop("Arrêt où rien ne passe"), gettext_noop("retirez-le, ou complétez stop_times.txt")
    ),
    "unused_shape": Rule(
        _W, gettext_noop("Tracé qu’aucune course ne suit"), gettext_noop("retirez-le, ou remplissez trips.shape_id")
    ),
    "unused_route": Rule(
        _W, gettext_noop("Ligne sans aucune course"), gettext_noop("retirez-la, ou ajoutez ses courses")
    ),
    "route_both_short_and_long_name_missing": Rule(
        _E, gettext_noop("Ligne sans nom"), gettext_noop("donnez route_short_name ou route_long_name")
    ),
    "route_color_contrast": Rule(
        _W,
        gettext_noop("Texte peu lisible sur la couleur de la ligne"),
        gettext_noop("changez route_text_color : 4,5 fois plus clair ou plus sombre que route_color"),
    ),
    "service_without_active_day": Rule(
        _W,
        gettext_noop("Service qui ne circule aucun jour"),
        gettext_noop("corrigez ses jours ou ses dates, ou retirez ses courses"),
    ),
    "expired_calendar": Rule(
        _W,
        gettext_noop("Horaires expirés"),
        gettext_noop("publiez les horaires en vigueur : plus aucun passage n’est annoncé"),
    ),
    "feed_expiration_date7_days": Rule(
        _W, gettext_noop("Horaires qui expirent sous sept jours"), gettext_noop("publiez la suite dès maintenant")
    ),
    "feed_expiration_date30_days": Rule(
        _W, gettext_noop("Horaires qui expirent sous trente jours"), gettext_noop("préparez la suite")
    ),
    "missing_recommended_file": Rule(
        _I, gettext_noop("Fichier conseillé absent"), gettext_noop("ajoutez-le : il sert aux voyageurs")
    ),
    "beffroi_stop_without_wheelchair_boarding": Rule(
        _W,
        gettext_noop("Arrêt dont l’accès en fauteuil n’est pas dit"),
        gettext_noop("remplissez stops.wheelchair_boarding : 1 oui, 2 non"),
    ),
    "beffroi_trip_without_wheelchair_accessible": Rule(
        _W,
        gettext_noop("Course dont l’accès en fauteuil n’est pas dit"),
        gettext_noop("remplissez trips.wheelchair_accessible : 1 oui, 2 non"),
    ),
}
