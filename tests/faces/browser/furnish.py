"""Furnish the site of the browser tests: registry, town, people, lake. Run in a process of its own."""

from __future__ import annotations

import sys

import django


def furnish(password: str) -> None:
    """Fill BEFFROI_DATA_DIR with the small town and two people who sign in with `password`."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from beffroi.base.kernel.geo import BBox
    from beffroi.base.territory.operations import add_grouping
    from beffroi.base.territory.viewer import Role
    from beffroi.sense.places.operations import index_territory
    from faces.portal.small_town import AT, BBOX, CODE, NAME, import_small_town
    from sense.mobility.town_graph import place_graph
    from territory_makers import make_person, make_town

    call_command("migrate", verbosity=0)
    make_town(CODE, NAME, population=812, fictional=True, bbox=BBox(*BBOX))
    make_town("00002", "Le Hameau", population=95, fictional=True)
    add_grouping(siren="980000004", name="Communauté de l’Essai", at=AT, members=[CODE, "00002"], fictional=True)
    make_person(Role.AGENT, Role.ADMINISTRATOR, territory=CODE, email="agent@bourg.test", password=password)
    make_person(Role.ELECTED, territory=CODE, email="elue@bourg.test", password=password)
    sources = settings.DATA_DIR / "sources"
    sources.mkdir(parents=True)
    settings.LAKE_DIR.mkdir(parents=True, exist_ok=True)
    import_small_town(settings.LAKE_DIR, sources)
    index_territory(CODE)
    place_graph(CODE)


if __name__ == "__main__":
    furnish(sys.argv[1])
