"""2-01, « public view only above a k-anonymity threshold, exact points for entitled agents only, filters »."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from beffroi.base.kernel.geo import BBox
from beffroi.base.territory.operations import add_service
from beffroi.base.territory.viewer import Role
from faces.portal.offences import AT, CODE, COUNTS, VIEW, place_offences
from faces.portal.small_town import BBOX
from territory_makers import make_person, make_town


@pytest.fixture(scope="session")
def offences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake that holds offences, and what the public gets of them, with its tiles."""
    folder = tmp_path_factory.mktemp("offences")
    place_offences(folder / "lake", folder)
    return folder / "lake"


@pytest.fixture
def town(db: None, offences: Path, settings: Any) -> str:
    settings.LAKE_DIR, settings.STRONG_AUTH = offences, False
    code = make_town(CODE, "Bourg-l’Essai", fictional=True, bbox=BBox(*BBOX))
    for slug in ("police-municipale", "voirie"):
        add_service(territory=code, slug=slug, name=slug, at=AT)
    return code


def _signed_in(town: str, role: Role, *services: str) -> Client:
    client, person = Client(), make_person(role, territory=town, services=services)
    user = get_user_model().objects.get(pk=person)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _listed(page: str) -> list[tuple[int, str]]:
    rows = re.findall(r'<tr id="carreau-.*?<td class="number">(\d+)</td>\s*<td>(.*?)</td>', page, re.S)
    return [(int(count), said) for count, said in rows]


def test_residents_read_numbers_above_the_threshold(town: str, client: Client) -> None:
    page = client.get("/services/2-01/").content.decode()
    assert [count for count, _ in _listed(page)] == [23, 14, 6]
    assert "Impasse du Secret" not in page
    assert "Les lieux exacts" not in page
    assert "Vols, Police nationale : 7" in page
    assert "Vols : 8" in page
    assert "sans détail : 6" in page
    thefts = client.get("/services/2-01/?nature=Vols")
    assert [count for count, _ in _listed(thefts.content.decode())] == [13, 8]
    assert "6 autres ne sont pas donnés" in thefts.content.decode()
    told = client.get("/services/2-01/?source=Habitants&periode=2025").content.decode()
    assert [count for count, _ in _listed(told)] == [11]
    assert client.get("/services/2-01/?nature=Meurtres").status_code == 400
    drawn = client.get("/services/2-01/comptes.geojson?nature=Vols").json()["features"]
    assert [one["properties"]["label"] for one in drawn] == ["13", "8"]
    assert client.get("/services/2-01/points.geojson").json()["features"] == []


def test_only_those_entitled_see_the_points(town: str) -> None:
    entitled = _signed_in(town, Role.AGENT, "police-municipale")
    page = entitled.get("/services/2-01/?nature=Vols&source=Habitants").content.decode()
    count = sum(counts[1] for counts in COUNTS.values())
    assert page.count("Impasse du Secret") == count
    points = entitled.get("/services/2-01/points.geojson?nature=Vols&source=Habitants").json()["features"]
    assert {one["geometry"]["type"] for one in points} == {"Point"}
    assert len(points) == count
    for other in (_signed_in(town, Role.AGENT, "voirie"), _signed_in(town, Role.ELECTED)):
        assert "Impasse du Secret" not in other.get("/services/2-01/").content.decode()
        assert other.get("/services/2-01/points.geojson").json()["features"] == []


def test_no_public_address_gives_less_than_the_threshold(town: str, client: Client) -> None:
    """Every filter, box, format and version that the public may ask for, and every difference of two answers."""
    base = f"/ogc/collections/{VIEW.territory}.{VIEW.slug}"
    whole = client.get(f"{base}/items").json()
    kept = sum(counts for key in list(COUNTS)[:3] for counts in COUNTS[key])
    assert sum(one["properties"]["nombre"] for one in whole["features"]) == kept
    values = {key: {one["properties"][key] for one in whole["features"]} for key in ("nature", "source", "carreau")}
    answers: list[frozenset[tuple[str, int]]] = []
    for key, several in values.items():
        answers += [_blocks(client.get(f"{base}/items", {key: value}).json()) for value in several]
    for west in (2.99, 3.0, 3.005, 3.01, 3.02):
        answers.append(_blocks(client.get(f"{base}/items?bbox={west},44.9,{west + 0.01},45.1").json()))
    for one, other in itertools.product(answers, repeat=2):
        left = sum(count for _, count in one - other)
        assert left == 0 or left >= 5
    for slug in ("infractions", "infractions-par-carreau"):
        shown = slug != "infractions"
        for address in (f"/ogc/collections/{CODE}.{slug}", f"/donnees/{CODE}/{slug}/", f"/api/datasets/{CODE}/{slug}",
                        f"/donnees/{CODE}/{slug}/telecharger/csv", f"/tuiles/{CODE}/{slug}.json"):  # fmt: skip
            answer = client.get(address)
            body = b"".join(answer) if answer.streaming else answer.content
            assert (answer.status_code == 200) is shown or "tuiles" in address, address
            assert b"Impasse du Secret" not in body
            assert b"INF0" not in body
    report = client.get(f"/api/datasets/{VIEW.territory}/{VIEW.slug}/report").json()
    assert report["rows_read"] == len(whole["features"])


def _blocks(page: dict[str, Any]) -> frozenset[tuple[str, int]]:
    return frozenset((one["id"], one["properties"]["nombre"]) for one in page["features"])
