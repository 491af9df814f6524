"""How fast the town is connected: fibre by IRIS as the regulator counts it, throughput measured in schools."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import iris_codes
from beffroi.lake.town.plan import INSEE, YEAR
from beffroi.lake.town.society import school_sites


def write_digital(city: City, writer: Writer) -> None:
    """Write the share of premises that fibre reaches in each IRIS, and the throughput measured in each school."""
    rng = city.rng("digital")
    count = len(city.iris.shape)
    zone = city.iris.of_cell[city.cell_of_parcel[city.buildings.parcel]]
    premises = np.bincount(zone, weights=np.maximum(city.buildings.dwellings, 0), minlength=count).astype(int)
    reached = np.round(premises * np.clip(rng.normal(0.82, 0.16, count), 0.2, 1.0)).astype(int)
    codes = iris_codes(city)
    writer.geojson(
        "numerique/couverture_fibre.geojson",
        "Couverture en fibre",
        city.iris.shape,
        {
            "code_iris": codes,
            "nom": [f"IRIS {code[-4:]}" for code in codes.tolist()],
            "locaux": premises,
            "locaux_fibre": reached,
            "part_fibre": np.round(100 * reached / np.maximum(premises, 1), 1),
            "date_maj": [f"{YEAR - 1}-12-31"] * count,
        },
    )
    chosen, names = school_sites(city)
    degrees = writer.origin.degrees(city.addresses.point[city.addresses.of_building[chosen]])
    fibre = rng.random(len(chosen)) < 0.7
    down = np.where(fibre, rng.integers(180, 940, len(chosen)), rng.integers(4, 30, len(chosen)))
    writer.table(
        "numerique/debits_etablissements.csv",
        "Débits mesurés dans les établissements",
        {
            "id": [f"{INSEE}-DE-{index + 1:03d}" for index in range(len(chosen))],
            "nom": names,
            "technologie": np.where(fibre, "Fibre", "Cuivre"),
            "descendant_mbps": down,
            "montant_mbps": np.where(fibre, down // 2, np.maximum(1, down // 10)),
            "mesure_le": [f"{YEAR - 1}-{1 + index % 12:02d}-12" for index in range(len(chosen))],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
        },
    )
