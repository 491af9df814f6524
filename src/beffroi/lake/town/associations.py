"""The associations of the town, as the national register tells them, and the addresses they gave to the town hall."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.names import SIGN_NOUNS
from beffroi.lake.town.plan import INSEE, NAME, POSTCODE, YEAR

# What they do, and the code of their purpose in the register's list.
_CAUSES = (
    ("Chorale", "006035"),
    ("Jardins partagés", "024030"),
    ("Club d'échecs", "007025"),
    ("Judo", "011085"),
    ("Randonnée", "011135"),
    ("Théâtre amateur", "006045"),
    ("Aide alimentaire", "020010"),
    ("Parents d'élèves", "014030"),
    ("Photographie", "006030"),
    ("Cyclotourisme", "011055"),
    ("Patrimoine", "010010"),
    ("Danse", "006040"),
    ("Football", "011120"),
    ("Ludothèque", "009010"),
    ("Atelier vélo", "024010"),
    ("Comité des fêtes", "007035"),
)


def write_associations(city: City, writer: Writer) -> None:
    """Write associations with the columns of the national register, the seat of each being an address of the town.

    One in ten is dissolved: the register keeps it, the lake does not.
    """
    rng = city.rng("associations")
    count = max(20, city.scale.population // 90)
    host = np.sort(rng.integers(0, len(city.addresses.key), count))
    topic = rng.integers(0, len(_CAUSES), count)
    nouns = rng.integers(0, len(SIGN_NOUNS), count).tolist()
    gone = rng.random(count) >= 0.9
    ids = [f"W00{index + 1:07d}" for index in range(count)]
    streets = [text.partition(" ") for text in city.street_name[city.addresses.street[host]].tolist()]
    writer.table(
        "vie_locale/rna_waldec_00001.csv",
        "Associations (RNA)",
        {
            "id": ids,
            "nature": ["D"] * count,
            "groupement": ["S"] * count,
            "titre": [
                f"{_CAUSES[t][0]} {SIGN_NOUNS[n]} n° {i + 1}"
                for i, (t, n) in enumerate(zip(topic.tolist(), nouns, strict=True))
            ],
            "objet": [f"Pratiquer et faire connaître : {_CAUSES[t][0].lower()}" for t in topic.tolist()],
            "objet_social1": [_CAUSES[t][1] for t in topic.tolist()],
            "date_creat": [f"{y}-01-15" for y in rng.integers(1950, YEAR, count).tolist()],
            "date_disso": [f"{YEAR - 1}-06-01" if flag else "0001-01-01" for flag in gone.tolist()],
            "adrs_complement": [""] * count,
            "adrs_repetition": [""] * count,
            "adrs_distrib": [""] * count,
            "adrs_numvoie": city.addresses.number[host],
            "adrs_typevoie": [part[0] for part in streets],
            "adrs_libvoie": [part[2] for part in streets],
            "adrs_codeinsee": [INSEE] * count,
            "adrs_codepostal": [POSTCODE] * count,
            "adrs_libcommune": [NAME] * count,
            "position": np.where(gone, "D", "A"),
        },
        separator=";",
    )
    # Reserved for examples (RFC 2606): nobody reads them but the outbox of the demonstration.
    known = [index for index in range(count) if index % 3 != 2 and not gone[index]]
    writer.table(
        "vie_locale/contacts_associations.csv",
        "Adresses connues des associations (réservé aux agents)",
        {
            "id": [ids[index] for index in known],
            "courriel": [f"contact{index + 1}@associations.valbruyere.example" for index in known],
        },
    )
