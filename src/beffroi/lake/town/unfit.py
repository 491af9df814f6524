"""What became of the files of unfit housing: the visits of an inspector, the orders that followed."""

from __future__ import annotations

import csv
from datetime import date, timedelta

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, YEAR

FILES = "habitat/signalements_habitat_indigne.csv"
_FOUND = ("insalubrite", "danger", "manquement", "rien")
_KINDS = {"insalubrite": "insalubrite", "danger": "securite"}


def write_unfit(city: City, writer: Writer) -> None:
    """Write visits and orders, for the housing service alone; nobody is named."""
    rng = city.rng("unfit")
    with (writer.folder / FILES).open(encoding="utf-8", newline="") as handle:
        files = list(csv.DictReader(handle, delimiter=";"))
    visits: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    for one in files:
        if rng.random() > 0.7:
            continue
        place = (one["adresse"], one["id_rnb"], one["longitude"], one["latitude"])
        seen = date.fromisoformat(one["recu_le"]) + timedelta(days=int(rng.integers(4, 60)))
        found = str(rng.choice(_FOUND, p=[0.35, 0.2, 0.3, 0.15]))
        visits.append((f"VH-{len(visits) + 1:04d}", one["dossier"], INSEE, seen.isoformat(), found, *place))
        if found not in _KINDS:
            continue
        signed = seen + timedelta(days=int(rng.integers(10, 70)))
        notified = signed + timedelta(days=int(rng.integers(2, 15))) if rng.random() < 0.8 else None
        lifted = date(YEAR, 9, 1) if notified and rng.random() < 0.2 else None
        urgent = rng.random() < 0.3
        flat = f"appartement {int(rng.integers(1, 24))}" if rng.random() < 0.7 else ""
        orders.append(
            (f"AR-{YEAR - 1}-{len(orders) + 1:03d}", one["dossier"], INSEE, _KINDS[found], "oui" if urgent else "non",
             signed.isoformat(), notified.isoformat() if notified else "", lifted.isoformat() if lifted else "", flat,
             *place)
        )  # fmt: skip
    placed = ("adresse", "id_rnb", "longitude", "latitude")
    _write(writer, "habitat/visites_habitat.csv", "Visites de logements (réservé au service habitat)",
           ("visite", "dossier", "commune", "date_visite", "constat", *placed), visits)  # fmt: skip
    _write(writer, "habitat/arretes_habitat.csv", "Arrêtés de sécurité et d'insalubrité (réservé au service habitat)",
           ("numero", "dossier", "commune", "police", "urgence", "date_arrete", "date_notification", "date_mainlevee",
            "logement", *placed), orders)  # fmt: skip


def _write(writer: Writer, path: str, title: str, names: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    columns = zip(*rows, strict=True) if rows else [[] for _name in names]
    writer.table(path, title, dict(zip(names, map(list, columns), strict=True)), separator=";")
