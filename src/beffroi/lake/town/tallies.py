"""What national statistics say of the town: trades, families and incomes by IRIS, offences of its department."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.ground import iris_codes
from beffroi.lake.town.plan import INSEE, NAME, NEIGHBOURS, YEAR
from beffroi.lake.town.shapes import Array

# PCS 2020 by « GSEC » of the census base, and how common each is.
_TRADES = (
    ("11_21", 1),
    ("12_22", 8),
    ("13_23", 18),
    ("14_24", 25),
    ("15_25", 28),
    ("16_26", 22),
    ("32", 30),
    ("40", 18),
)
_FAMILIES = (("MENPSEUL", 37), ("MENCOUPSENF", 25), ("MENCOUPAENF", 25), ("MENFAMMONO", 10), ("MENSFAM", 3))
# Kind, what is counted, how many for a thousand inhabitants (for a thousand dwellings, of burglaries).
_OFFENCES = (
    ("Violences physiques intrafamiliales", "Victime", 2.4),
    ("Violences physiques hors cadre familial", "Victime", 2.6), ("Violences sexuelles", "Victime", 1.3),
    ("Vols avec armes", "Infraction", 0.1), ("Vols violents sans arme", "Infraction", 0.6),
    ("Vols sans violence contre des personnes", "Victime entendue", 8.5),
    ("Cambriolages de logement", "Infraction", 5.6), ("Vols de véhicule", "Véhicule", 1.8),
    ("Vols dans les véhicules", "Véhicule", 3.4), ("Vols d’accessoires sur véhicules", "Véhicule", 1.3),
    ("Destructions et dégradations volontaires", "Infraction", 7.6), ("Usage de stupéfiants", "Mis en cause", 3.9),
    ("Trafic de stupéfiants", "Mis en cause", 0.7), ("Escroqueries et fraudes aux moyens de paiement", "Victime", 6.1),
)  # fmt: skip
_TOWNS = 60
_SERVICES = (("GN", "00001001", "Brigade de gendarmerie de l’Onde"), ("PN", "00009001", "Commissariat de la Lande"))
LEAST = 6
"""Fewer facts than that in a year, and the number is not published."""


def trades_of(city: City, adults: Array) -> dict[str, Array]:
    """Return the columns of the census base that tell the trades of those of fifteen and more, by IRIS."""
    shares = city.rng("trades").dirichlet(np.array([float(weight) for _code, weight in _TRADES]), len(adults))
    counts = np.round(shares * adults[:, None], 2)
    told = {f"C22_POP15P_STAT_GSEC{code}": counts[:, rank] for rank, (code, _weight) in enumerate(_TRADES)}
    return {"C22_POP15P": np.round(counts.sum(axis=1), 2), **told}


def write_families(city: City, writer: Writer, homes: Array) -> None:
    """Write households by kind and by IRIS, with the variables of the census base."""
    shares = city.rng("families").dirichlet(np.array([float(weight) for _kind, weight in _FAMILIES]), len(homes))
    counts = np.round(shares * homes[:, None], 2)
    columns: dict[str, Array] = {
        "IRIS": iris_codes(city),
        "COM": np.full(len(homes), INSEE),
        "TYP_IRIS": np.full(len(homes), "H"),
        "LIBCOM": np.full(len(homes), NAME),
        "C22_MEN": np.round(counts.sum(axis=1), 2),
    }
    columns |= {f"C22_{kind}": counts[:, rank] for rank, (kind, _weight) in enumerate(_FAMILIES)}
    writer.table("population/base-ic-couples-familles-menages-2022.csv", "Familles par IRIS", columns, separator=";")


def write_incomes(city: City, writer: Writer, median_eur: Array, people: Array) -> None:
    """Write incomes by IRIS as Filosofi does: small blocks are secret, some rates are not significant."""
    rng, secret = city.rng("incomes"), people < 200
    poor = np.clip(np.round(60 - median_eur / 600 + rng.normal(0, 3, len(people))), 4, 45).astype(int)
    writer.table(
        "population/BASE_TD_FILO_DISP_IRIS_2021.csv",
        "Revenus par IRIS",
        {
            "IRIS": iris_codes(city),
            "DISP_TP6021": ["s" if hidden else "ns" if rate < 6 else str(rate)
                            for hidden, rate in zip(secret.tolist(), poor.tolist(), strict=True)],
            "DISP_MED21": ["s" if hidden else str(euros)
                           for hidden, euros in zip(secret.tolist(), median_eur.tolist(), strict=True)],
            "DISP_RD21": ["s" if hidden else f"{3 + rate / 20:.1f}".replace(".", ",")
                          for hidden, rate in zip(secret.tolist(), poor.tolist(), strict=True)],
        },
        separator=";",
    )  # fmt: skip


def write_offence_series(city: City, writer: Writer) -> None:
    """Write the communal base of the SSMSI for a fictional department, and which service each commune depends on."""
    rng = city.rng("offence-series")
    sizes = np.round(rng.lognormal(7.6, 1.1, _TOWNS)).astype(int) + 150
    sizes[0] = city.scale.population
    # Some of the same class as the town, whatever its size: without them, it is like none.
    sizes[3:12] = np.maximum(151, np.round(city.scale.population * rng.uniform(0.75, 1.15, 9))).astype(int)
    codes = [INSEE, *(code for code, _name in NEIGHBOURS), *(f"00{number:03d}" for number in range(4, _TOWNS + 1))]
    rows: list[tuple[object, ...]] = []
    for code, people in zip(codes, sizes.tolist(), strict=True):
        homes, own = round(people * 0.52), rng.lognormal(0, 0.3, len(_OFFENCES))
        for year in range(YEAR - 9, YEAR - 1):
            for rank, (kind, unit, usual) in enumerate(_OFFENCES):
                base = homes if kind.startswith("Cambriolages") else people
                count = int(rng.poisson(base * usual * own[rank] * (1 + 0.02 * (year - YEAR)) / 1000))
                rows.append((code, year, kind, unit, *_published(count, base), people, homes, "NA", "NA"))
    heads = ("CODGEO_2025", "annee", "indicateur", "unite_de_compte", "nombre", "taux_pour_mille", "est_diffuse",
             "insee_pop", "insee_log", "complement_info_nombre", "complement_info_taux")  # fmt: skip
    columns = dict(zip(heads, map(list, zip(*rows, strict=True)), strict=True))
    writer.table("securite/donnee-data.gouv-2025-geographie2025.csv", "Délinquance enregistrée", columns, separator=";")
    which = [0, 0, 1, *(int(one) for one in rng.integers(0, 2, _TOWNS - 3))]
    writer.table(
        "securite/competences_securite.csv",
        "Compétence de la police et de la gendarmerie",
        {
            "code_commune": codes,
            "libelle_commune": [NAME, *(name for _code, name in NEIGHBOURS), *(f"Commune {one}" for one in codes[3:])],
            "institution": [_SERVICES[one][0] for one in which],
            "id_service": [_SERVICES[one][1] for one in which],
            "service": [_SERVICES[one][2] for one in which],
        },
        separator=";",
    )


def _published(count: int, base: int) -> tuple[str, str, str]:
    if count < LEAST:
        return "NA", "NA", "ndiff"
    return str(count), f"{1000 * count / base:.2f}".replace(".", ","), "diff"
