"""What the town hall publishes or keeps: deliberations, menus, markets, events, and two datasets not for everyone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import shapely

from beffroi.lake.town.acts import act_of, write_act
from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer, as_json_text
from beffroi.lake.town.ground import siren_of
from beffroi.lake.town.plan import INSEE, NAME, YEAR, Fabric
from beffroi.lake.town.shapes import Array

TOWN_SIRET = siren_of("00000101") + "00017"

PAPER_YEARS = 2
"""So many years of acts come with their signed document."""

_SUBJECTS = (
    ("7.1", "Finances locales", "Adoption du budget primitif"),
    ("7.5", "Finances locales", "Subvention à une association"),
    ("2.1", "Urbanisme", "Modification simplifiée du plan local d'urbanisme"),
    ("3.1", "Domaine et patrimoine", "Acquisition d'une parcelle"),
    ("8.3", "Voirie", "Dénomination d'une voie nouvelle"),
    ("1.1", "Commande publique", "Attribution d'un marché de travaux"),
    ("4.1", "Fonction publique", "Tableau des effectifs"),
    ("8.8", "Environnement", "Plan de plantation d'arbres"),
    ("8.1", "Enseignement", "Tarifs de la restauration scolaire"),
    ("9.1", "Autres domaines", "Rapport annuel sur le prix de l'eau"),
)


def write_deliberations(city: City, writer: Writer) -> None:
    """Write six years of deliberations by the SCDL schema."""
    rng = city.rng("council")
    rows = []
    papers: dict[str, tuple[str, date, tuple[int, int, int]]] = {}
    for year in range(YEAR - 6, YEAR):
        for meeting in range(8):
            day = date(year, 1 + meeting + meeting // 2, 12)
            for rank in range(int(rng.integers(9, 18))):
                code, matter, topic = _SUBJECTS[int(rng.integers(0, len(_SUBJECTS)))]
                against = max(0, int(rng.integers(-5, 6)))
                abstained = 0 if rng.random() < 0.6 else int(rng.integers(1, 4))
                received = day + timedelta(days=int(rng.integers(1, 6)))
                name = f"{year}-{meeting + 1}-{rank + 1:02d}.pdf"
                if year >= YEAR - PAPER_YEARS:
                    papers[name] = (topic, day, (27 - against - abstained, against, abstained))
                rows.append(
                    (
                        f"Commune de {NAME} (fictive)",
                        TOWN_SIRET,
                        f"{year}-{meeting + 1:02d}-{rank + 1:02d}",
                        day.isoformat(),
                        code,
                        matter,
                        f"{topic} ({year}, n° {rank + 1})",
                        year if code.startswith("7") else "",
                        "Budget principal" if code.startswith("7") else "",
                        f"{INSEE}-{TOWN_SIRET[:9]}-{day:%Y%m%d}-{rank + 1:03d}-DE",
                        received.isoformat(),
                        "vote public",
                        29,
                        27,
                        27 - against - abstained,
                        against,
                        abstained,
                        f"https://valbruyere.example/deliberations/{name}",
                    )
                )
    names = (
        "COLL_NOM",
        "COLL_SIRET",
        "DELIB_ID",
        "DELIB_DATE",
        "DELIB_MATIERE_CODE",
        "DELIB_MATIERE_NOM",
        "DELIB_OBJET",
        "BUDGET_ANNEE",
        "BUDGET_NOM",
        "PREF_ID",
        "PREF_DATE",
        "VOTE_TYPE",
        "VOTE_EFFECTIF",
        "VOTE_REEL",
        "VOTE_POUR",
        "VOTE_CONTRE",
        "VOTE_ABSTENTION",
        "DELIB_URL",
    )
    writer.table(
        "vie_municipale/deliberations.csv",
        "Délibérations (SCDL)",
        dict(zip(names, zip(*rows, strict=True), strict=True)),
    )
    for name, (topic, day, votes) in papers.items():
        write_act(writer.folder / "vie_municipale" / "deliberations" / name, act_of(topic, day, votes))


# Title, theme, least and most age, price in euros.
_EVENTS = (
    ("Fête de la musique", "Musique", None, None, 0),
    ("Vide-greniers", "Vie de quartier", None, None, 0),
    ("Marché de Noël", "Fêtes", None, None, 0),
    ("Cinéma en plein air", "Cinéma", 6, None, 0),
    ("Forum des associations", "Vie de quartier", None, None, 0),
    ("Course de l'Onde", "Sport", 12, None, 8),
    ("Nuit des étoiles", "Sciences", 8, None, 0),
    ("Bal du beffroi", "Danse", None, None, 5),
    ("Exposition des ateliers", "Arts", None, None, 0),
    ("Conseil de quartier", "Vie de quartier", 16, None, 0),
    ("Conte à la médiathèque", "Lecture", 3, 8, 0),
    ("Concert d'orgue", "Musique", None, None, 12),
)
# The same day of each week of a school year: title, theme, ages, price of a session, day, hour.
_WEEKLY = (
    ("Éveil musical", "Musique", 3, 6, 4, 2, 10),
    ("Atelier de dessin", "Arts", 7, 12, 6, 2, 14),
    ("Initiation à l’escalade", "Sport", 8, 14, 5, 5, 10),
    ("Club d’échecs", "Jeux", 9, None, 0, 4, 18),
    ("Gymnastique douce", "Sport", 60, None, 3, 1, 9),
    ("Bébés lecteurs", "Lecture", 0, 3, 0, 5, 11),
    ("Théâtre des collégiens", "Théâtre", 11, 15, 7, 2, 16),
    ("Chorale ouverte", "Musique", 16, None, 2, 3, 20),
)
_RRULE_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def write_agenda(city: City, writer: Writer) -> None:
    """Write markets (CSV) and a year of events (JSON)."""
    rng = city.rng("agenda")
    places = np.flatnonzero(
        np.isin(city.parcels.program, ("place", "marche", "square", "salle_polyvalente", "mediatheque"))
    )
    degrees = writer.origin.degrees(shapely.get_coordinates(shapely.point_on_surface(city.parcels.shape[places])))
    streets = city.street_name[city.frontage.street[places]]
    squares = np.flatnonzero(np.isin(city.parcels.program[places], ("place", "marche")))
    days = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    chosen = squares[: max(2, city.scale.population // 8_000)]
    writer.table(
        "vie_locale/marches.csv",
        "Marchés de plein air",
        {
            "nom": [f"Marché {streets[index]}" for index in chosen.tolist()],
            "jour": [days[index % 7] for index in range(len(chosen))],
            "horaires": ["8h00-13h00"] * len(chosen),
            "etals": rng.integers(8, 70, len(chosen)),
            "produits_locaux": ["oui"] * len(chosen),
            "longitude": degrees[chosen, 0],
            "latitude": degrees[chosen, 1],
        },
        separator=";",
    )
    events = []
    for index in range(max(40, city.scale.population // 250)):
        place = int(rng.integers(0, len(places)))
        start = date(YEAR, 1, 1) + timedelta(days=int(rng.integers(0, 365)))
        hour = int(rng.integers(10, 21))
        what = _EVENTS[int(rng.integers(0, len(_EVENTS)))]
        events.append(_event(index, what, start, (hour, min(hour + 3, 23)), str(streets[place]), degrees[place]))
    for title, theme, least, most, price, weekday, hour in _WEEKLY:
        place = int(rng.integers(0, len(places)))
        start = date(YEAR, 9, 7) + timedelta(days=weekday)
        weekly = (title, theme, least, most, price)
        told = _event(len(events), weekly, start, (hour, hour + 1), str(streets[place]), degrees[place])
        until = f"{YEAR + 1}0630T235959"
        events.append({**told, "recurrence": f"FREQ=WEEKLY;BYDAY={_RRULE_DAYS[weekday]};UNTIL={until}"})
    writer.text("vie_locale/evenements.json", "Agenda", as_json_text(events), rows=len(events))


def _event(
    index: int, what: tuple[object, ...], day: date, hours: tuple[int, int], street: str, place: Array
) -> dict[str, object]:
    title, theme, least, most, price = what
    return {
        "uid": f"evt-{index + 1:05d}",
        "titre": title,
        "theme": theme,
        "debut": f"{day.isoformat()}T{hours[0]:02d}:00:00",
        "fin": f"{day.isoformat()}T{hours[1]:02d}:00:00",
        "recurrence": "",
        "lieu": street,
        "gratuit": price == 0,
        "prix": price,
        "age_min": least,
        "age_max": most,
        "longitude": float(place[0]),
        "latitude": float(place[1]),
    }


def write_restricted(city: City, writer: Writer) -> None:
    """Write underground cavities (agents only) and reports of unfit housing (the housing service only)."""
    rng = city.rng("restricted")
    count = max(12, city.scale.population // 900)
    network = city.network
    cell = rng.choice(np.flatnonzero(network.fabric != Fabric.WATER), count)
    points = shapely.get_coordinates(shapely.point_on_surface(network.cells[cell])) + rng.uniform(-12, 12, (count, 2))
    writer.geojson(
        "sous_sol/cavites.geojson",
        "Cavités souterraines (réservé aux agents)",
        shapely.points(points),
        {
            "identifiant": [f"BRU{index + 1:05d}" for index in range(count)],
            "type": rng.choice(["carrière", "cave", "ouvrage civil", "naturelle", "indéterminé"], count),
            "profondeur_m": np.round(rng.uniform(2, 18, count), 1),
            "alea": rng.choice(["faible", "moyen", "fort"], count, p=[0.5, 0.35, 0.15]),
            "date_visite": [f"{y}-05-12" for y in rng.integers(1995, YEAR, count).tolist()],
        },
    )
    old = np.flatnonzero(
        (city.buildings.dwellings > 0) & (city.buildings.year < 1950) & (city.addresses.of_building >= 0)
    )
    chosen = np.sort(rng.permutation(old)[: max(8, city.scale.population // 700)])
    address = city.addresses.of_building[chosen]
    degrees = writer.origin.degrees(city.addresses.point[address])
    writer.table(
        "habitat/signalements_habitat_indigne.csv",
        "Signalements d'habitat indigne (réservé au service habitat)",
        {
            "dossier": [f"HI-{YEAR - 1}-{index + 1:04d}" for index in range(len(chosen))],
            "commune": [INSEE] * len(chosen),
            "adresse": city.address_text(address),
            "id_rnb": city.building_id[chosen],
            "motif": rng.choice(
                ["humidité", "péril", "suroccupation", "électricité dangereuse", "absence de chauffage"], len(chosen)
            ),
            "gravite": rng.integers(1, 5, len(chosen)),
            "recu_le": [
                f"{YEAR - 1}-{m:02d}-{d:02d}"
                for m, d in zip(
                    rng.integers(1, 13, len(chosen)).tolist(), rng.integers(1, 29, len(chosen)).tolist(), strict=True
                )
            ],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
        separator=";",
    )
