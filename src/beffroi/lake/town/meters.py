"""What the meters of the town's blocks of flats read in a year, with the columns Enedis publishes by address."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import iris_codes
from beffroi.lake.town.plan import INSEE, NAME, YEAR

LEAST_DWELLINGS = 10
YEARS = (YEAR - 3, YEAR - 2)
# Electricity of a dwelling in a year, by the label of its building: half of them are heated by something else.
_MWH = {"A": 2.4, "B": 2.7, "C": 3.1, "D": 3.6, "E": 4.3, "F": 5.1, "G": 5.9}


def write_meters(city: City, writer: Writer) -> None:
    """Write two years of residential electricity for the addresses of ten dwellings and more."""
    rng = city.rng("meters")
    buildings, addresses = city.buildings, city.addresses
    chosen = np.flatnonzero((buildings.dwellings >= LEAST_DWELLINGS) & (addresses.of_building >= 0))
    address = addresses.of_building[chosen]
    _only, first = np.unique(address, return_index=True)
    chosen, address = chosen[first], address[first]
    homes = buildings.dwellings[chosen].astype(int)
    each = np.array([_MWH[text] for text in buildings.energy[chosen].tolist()]) * rng.uniform(0.85, 1.2, len(chosen))
    kind = [text.partition(" ") for text in city.street_name[addresses.street[address]].tolist()]
    iris = iris_codes(city)[city.iris.of_cell[city.cell_of_parcel[addresses.parcel[address]]]]
    years = len(YEARS)
    mean = np.concatenate([each * rate for rate in np.linspace(1.04, 1.0, years)]).round(3)
    total = (mean * np.tile(homes, years)).round(3)
    town = [round(float(np.average(part, weights=homes)), 3) if len(homes) else 0 for part in np.split(mean, years)]
    number = addresses.number[address]
    writer.table(
        "energie/consommation-annuelle-residentielle-par-adresse.csv",
        "Consommation d’électricité par adresse",
        {
            "annee": np.repeat(YEARS, len(chosen)),
            "code_iris": [*iris] * years,
            "numero_de_voie": np.tile(number, years),
            "indice_de_repetition": [""] * len(mean),
            "type_de_voie": [part[0].upper() for part in kind] * years,
            "libelle_de_voie": [part[2].upper() for part in kind] * years,
            "code_commune": [INSEE] * len(mean),
            "nom_commune": [NAME] * len(mean),
            "segment_de_client": ["RESIDENTIEL"] * len(mean),
            "nombre_de_logements": np.tile(homes, years),
            "consommation_annuelle_totale_de_l_adresse_mwh": total,
            "consommation_annuelle_moyenne_par_site_de_l_adresse_mwh": mean,
            "consommation_annuelle_moyenne_de_la_commune_mwh": np.repeat(town, len(chosen)),
            "adresse": [f"{n} {''.join(part).upper()}" for n, part in zip(number.tolist(), kind, strict=True)] * years,
        },
        separator=";",
    )
