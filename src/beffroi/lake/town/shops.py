"""What shops do for people besides selling, and what people have not found near them."""

from __future__ import annotations

import numpy as np

from beffroi.lake.town.city import City
from beffroi.lake.town.files import Writer
from beffroi.lake.town.plan import INSEE, YEAR, Fabric
from beffroi.lake.town.shapes import Array
from beffroi.lake.town.useful import sites_of

_CENTRE = (Fabric.CORE, Fabric.FAUBOURG)
_HOMES = (Fabric.ESTATE, Fabric.SUBURB, Fabric.GRID, Fabric.FAUBOURG)
# Name, services (codes of 10-11), what to know, hours (OSM), conditions, where, inhabitants for one more.
_SHOPS: tuple[tuple[str, str, str, str, str, tuple[Fabric, ...], int], ...] = (
    ("Café du Marché", "cash; parcels", "Au comptoir.", "Tu-Su 07:00-20:00", "Dès 1 € d’achat, 60 € au plus",
     _CENTRE, 6_000),
    ("Tabac-presse", "bills; post; cash", "Paiement de proximité.", "Mo-Sa 06:30-19:30", "Dès 1 € d’achat",
     _CENTRE, 7_000),
    ("Papeterie", "printing; parcels", "Copies couleur aussi.", "Tu-Sa 09:00-12:30,14:00-19:00",
     "20 centimes la page", _CENTRE, 12_000),
    ("Cordonnerie", "repair; keys", "Clés, talons, couteaux.", "Tu-Sa 09:00-12:00,14:00-18:30", "", _CENTRE, 15_000),
    ("Supérette", "parcels; elders; food_basics", "Courses portées le jeudi.", "Mo-Sa 08:00-20:00",
     "Portage à partir de 75 ans", _HOMES, 6_000),
    ("Boulangerie", "bread; cash", "Dépôt le lundi.", "Tu-Su 07:00-19:00", "Dès 5 € d’achat", _HOMES, 7_000),
)  # fmt: skip
_NEEDS = (("printing", "Imprimer, photocopier"), ("online_help", "Aide aux démarches en ligne"),
          ("medicines", "Retrait de médicaments commandés"), ("cash", "Retirer des espèces"),
          ("parcels", "Relais colis"))  # fmt: skip
_CELL_M = 100.0


def write_shop_services(city: City, writer: Writer) -> None:
    """Write services given in shops by `datasets/services/services-boutique.toml`, and needs by `besoins-services`."""
    shops = [shop for shop in _SHOPS for _ in range(1 + city.scale.population // shop[6])]
    address = sites_of(city, "shop-services", [shop[5] for shop in shops])
    degrees = writer.origin.degrees(city.addresses.point[address])
    streets = city.street_name[city.addresses.street[address]].tolist()
    writer.table(
        "services/services_boutique.csv",
        "Services rendus en boutique",
        {
            "id": [f"{INSEE}-SB-{index + 1:03d}" for index in range(len(shops))],
            "nom": [f"{shop[0]} ({street})" for shop, street in zip(shops, streets, strict=True)],
            "services": [shop[1] for shop in shops],
            "description": [shop[2] for shop in shops],
            "adresse": city.address_text(address),
            # Kept for works of fiction: nobody answers (Arcep, decision 2018-0881).
            "telephone": [f"+3353649{5_000 + index:04d}" for index in range(len(shops))],
            "horaires_accueil": [shop[3] for shop in shops],
            "conditions_acces": [shop[4] for shop in shops],
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
            "date_maj": [f"{YEAR}-01-12"] * len(shops),
        },
    )
    _write_needs(city, writer)


def _write_needs(city: City, writer: Writer) -> None:
    count = max(8, city.scale.population // 900)
    rng = city.rng("needs")
    address = sites_of(city, "needs", [_HOMES] * count)
    which = rng.integers(0, len(_NEEDS), count)
    cells: Array = (np.floor(city.addresses.point[address] / _CELL_M) + 0.5) * _CELL_M
    degrees = writer.origin.degrees(cells)
    writer.table(
        "services/besoins_services.csv",
        "Services qui manquent aux habitants",
        {
            "id": [f"{INSEE}-BS-{index + 1:03d}" for index in range(count)],
            "nom": [_NEEDS[one][1] for one in which.tolist()],
            "services": [_NEEDS[one][0] for one in which.tolist()],
            "adresse": city.street_name[city.addresses.street[address]],
            "description": [""] * count,
            "longitude": degrees[:, 0],
            "latitude": degrees[:, 1],
            "date_maj": [f"{YEAR}-{month:02d}-03" for month in rng.integers(1, 3, count).tolist()],
        },
    )
