"""Published accounts and legal notices of the firms of the town, which never were."""

from __future__ import annotations

import csv

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import NAME, POSTCODE, YEAR

_FAMILIES = (("dpc", "Dépôts des comptes"), ("creation", "Créations"), ("vente", "Ventes et cessions"),
             ("collective", "Procédures collectives"), ("radiation", "Radiations"),
             ("modification", "Modifications diverses"))  # fmt: skip
_CHANCES = (0.5, 0.1, 0.1, 0.08, 0.1, 0.12)


def write_accounts(city: City, writer: Writer) -> None:
    """Write the accounts by `datasets/economie/comptes-annuels.toml` and notices by `annonces-bodacc.toml`.

    Half of those who file keep their accounts secret; these lines are there, to be left out by who reads them.
    """
    rng = city.rng("accounts")
    with (writer.folder / "economie" / "StockEtablissement_00001.csv").open(encoding="utf-8", newline="") as file:
        firms = [row for row in csv.DictReader(file) if row["etatAdministratifEtablissement"] == "A"]
    filing = rng.random(len(firms)) < 0.8
    secret = rng.choice(["0", "1", "2"], len(firms), p=[0.7, 0.2, 0.1])
    turnover = np.round(rng.lognormal(12.3, 0.8, len(firms)), -2)
    change = rng.normal(0.01, 0.09, len(firms))
    lines = [
        (firms[rank]["siren"], year, secret[rank], turnover[rank] * (1 + change[rank]) ** (year - YEAR + 2))
        for rank in np.flatnonzero(filing).tolist()
        for year in (YEAR - 2, YEAR - 1)
    ]
    writer.table(
        "economie/comptes_annuels_00001.csv",
        "Comptes annuels (RNE)",
        {
            "siren": [line[0] for line in lines],
            "date_cloture_exercice": [f"{line[1]}-12-31" for line in lines],
            "code_type_bilan": ["S" if line[3] < 400_000 else "C" for line in lines],
            "code_confidentialite": [line[2] for line in lines],
            "date_depot": [f"{line[1] + 1}-06-15" for line in lines],
            "chiffre_d_affaires": [round(line[3]) for line in lines],
            "resultat_net": [round(line[3] * 0.06) for line in lines],
        },
        separator=";",
    )
    told = np.sort(rng.choice(len(firms), len(firms) // 3, replace=False))
    kind = rng.choice(len(_FAMILIES), len(told), p=_CHANCES)
    # From a year before to the year after the town's: those of the last months count, whatever the day it is read.
    day = np.datetime64(f"{YEAR - 1}-03-01") + rng.integers(0, 600, len(told))
    siren = [firms[rank]["siren"] for rank in told.tolist()]
    writer.table(
        "economie/annonces_bodacc_00001.csv",
        "Annonces commerciales (BODACC)",
        {
            "id": [f"A{YEAR}0001{rank:04d}" for rank in range(len(told))],
            "dateparution": day.astype(str),
            "numeroannonce": [str(rank + 1) for rank in range(len(told))],
            "typeavis": ["annonce"] * len(told),
            "familleavis": [_FAMILIES[one][0] for one in kind.tolist()],
            "familleavis_lib": [_FAMILIES[one][1] for one in kind.tolist()],
            "numerodepartement": ["00"] * len(told),
            "tribunal": ["Greffe du Tribunal de Commerce (fictif)"] * len(told),
            # Columns of the bulletin that name people; nobody is, here.
            **{
                key: [""] * len(told)
                for key in ("listepersonnes", "listeprecedentproprietaire", "listeprecedentexploitant", "jugement")
            },
            "commercant": [firms[rank]["enseigne1Etablissement"] for rank in told.tolist()],
            "ville": [NAME] * len(told),
            "cp": [POSTCODE] * len(told),
            "registre": [f"{one[:3]} {one[3:6]} {one[6:]},{one}" for one in siren],
        },
        separator=";",
    )
