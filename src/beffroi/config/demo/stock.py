"""The stock of a fictional landlord: some buildings of the town, as its property software would send them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from beffroi.base.territory.engine import STOCK, STOCK_OF
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.twin.stock import operations, queries

LANDLORD = "000000018"
"""A number no company bears, with a right key."""
MOST_BUILDINGS = 14
_TICKETS = (("ascenseur", "Ascenseur arrêté"), ("plomberie", "Fuite sous l’évier"), ("chauffage", "Radiateur froid"))


def add_stock(territory: str, *, at: datetime) -> int:
    """Send the stock of a landlord of a territory; return how many buildings, 0 when it has one."""
    software = Viewer(None, (Grant(territory, Role.AGENT),), frozenset({STOCK, STOCK_OF + LANDLORD}))
    if any(queries.counts(software).values()):
        return 0
    try:
        streets = {one["id"]: one["properties"] for one in _features(territory, "adresses")}
        known = [one for one in _features(territory, "rnb") if one["properties"]["addresses"] in streets]
    except DatasetNotFound:
        return 0
    chosen = known[:: max(1, len(known) // MOST_BUILDINGS)][:MOST_BUILDINGS]
    tables: dict[str, list[dict[str, Any]]] = {"batiments": [], "lots": [], "demandes": [], "releves": []}
    for rank, one in enumerate(chosen, start=1):
        _add_building(tables, rank, one, streets[one["properties"]["addresses"]], at)
    for name, lines in tables.items():
        operations.send_table(software, name, lines, mode="merge", at=at)
    return len(chosen)


def _features(territory: str, slug: str) -> list[dict[str, Any]]:
    page = lake.features(ANONYMOUS, DatasetRef(territory, slug), limit=2000)
    return [json.loads(body) for body in page.features]


def _add_building(
    tables: dict[str, list[dict[str, Any]]], rank: int, found: dict[str, Any], street: dict[str, Any], at: datetime
) -> None:
    ref, (lon, lat) = f"B{rank:03}", found["geometry"]["coordinates"][:2]
    number = " ".join(str(one) for one in (street["numero"], street["rep"]) if one)
    tables["batiments"].append({
        "batiment_ref": ref, "rnb_id": found["properties"]["rnb_id"], "adresse": f"{number} {street['nom_voie']}",
        "longitude": lon, "latitude": lat, "annee_construction": 1955 + 4 * rank, "niveaux": 3 + rank % 4,
        "etiquette_dpe": "CDEDFEC"[rank % 7],
    })  # fmt: skip
    for lot in range(1, 8 + 3 * (rank % 5)):
        name = f"{ref}-{lot:02}"
        vacant = (rank * 7 + lot) % 17 == 0
        tables["lots"].append({
            "lot_ref": name, "batiment_ref": ref, "usage": "logement", "etage": (lot - 1) // 4, "pieces": 2 + lot % 3,
            "surface_m2": 41.5 + 14 * (lot % 3), "occupation": "vacant" if vacant else "occupe",
        })  # fmt: skip
        tables["releves"].append({
            "releve_ref": f"R-{name}", "batiment_ref": ref, "lot_ref": name, "compteur_ref": f"EF-{name}",
            "energie": "eau_froide", "releve_le": (at - timedelta(days=26)).date(), "unite": "m3",
            "valeur": 90 + 13 * lot,
        })  # fmt: skip
    if rank % 3 == 1:
        kind, said = _TICKETS[rank % len(_TICKETS)]
        tables["demandes"].append({
            "ticket_ref": f"D{rank:03}", "batiment_ref": ref, "lot_ref": f"{ref}-01", "categorie": kind, "objet": said,
            "etat": "en_cours", "ouvert_le": (at - timedelta(days=rank)).date(),
        })  # fmt: skip
