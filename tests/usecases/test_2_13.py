"""2-13: « national series imported, per-inhabitant rates with comparison to like communes, by police or gendarmerie
area, yearly review of local security policy (offences, reports, responses) exported »."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from usecases.reading import text_of

pytestmark = pytest.mark.django_db


def test_rates_stand_beside_like_communes_and_the_area_and_what_is_not_published_stays_so(
    indicators_town: str, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(Role.ELECTED).get("/indicateurs/2-13/")
    found = {row.name: row for row in page.context["rows"]}
    # 2,000 to 4,999 inhabitants: 3, 5 and 7 ‰. The gendarmerie: 19 facts for 5,000 people, the silent commune left out.
    assert found["Violences physiques"].value == "3 ‰".replace(" ", "\u00a0")
    assert [one.replace("\u00a0", " ") for one in found["Violences physiques"].besides] == ["5 ‰", "3,8 ‰"]
    assert found["Violences physiques"].change == "+ 1 ‰ depuis 2023 (moins bien)".replace(" ‰", " ‰")
    # Burglaries are told for a thousand dwellings: 15 for 2,100.
    assert found["Cambriolages de logement"].besides[1] == "7,1\u00a0‰"
    assert found["Cambriolages de logement"].change.endswith("(mieux)")
    assert (found["Vols avec armes"].value, found["Vols avec armes"].note) == (
        "–", "non diffusé : sous le seuil de publication sur trois ans",
    )  # fmt: skip
    assert "1 ligne n’est pas diffusée" in text_of(page)
    assert "Brigade de l’Onde : 3 communes" in text_of(page)


def test_the_review_of_a_year_is_a_sheet_and_a_file(indicators_town: str, signed_in: Callable[..., Client]) -> None:
    elected = signed_in(Role.ELECTED)
    assert elected.get("/indicateurs/2-13/bilan/").context["year"] == "2024"
    lines = elected.get("/indicateurs/2-13/bilan/?annee=2024&csv=1").content.decode("utf-8-sig").splitlines()
    assert "Faits,Violences physiques,Nombre de faits,9 (victime),2024" in lines
    assert "Faits,Violences physiques,Nombre de faits,6 (victime),2023" in lines
    # A comparison is that of its year: that of another is not told under it.
    other = elected.get("/indicateurs/2-13/bilan/?annee=2023&csv=1").content.decode("utf-8-sig")
    assert "Comparaison,Violences physiques,Communes semblables (médiane),–,2023" in other


@pytest.mark.parametrize(("roles", "status"), [((Role.ELECTED,), 200), ((Role.AGENT,), 403), ((Role.RESIDENT,), 403)])
def test_it_is_for_officials(
    indicators_town: str, signed_in: Callable[..., Client], roles: tuple[Role, ...], status: int
) -> None:
    client = signed_in(*roles)
    assert client.get("/indicateurs/2-13/").status_code == status
    assert client.get("/indicateurs/2-13/bilan/").status_code == status
    assert client.get("/indicateurs/2-13/?csv=1").status_code == status


def test_who_is_not_known_signs_in(indicators_town: str, client: Client) -> None:
    assert client.get("/indicateurs/2-13/").status_code == 302


def test_a_program_reads_the_same_figures_with_their_method(
    indicators_town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    assert client.get("/api/indicators/2-13").status_code == 403
    assert client.get("/api/indicators").json()["indicators"] == []
    elected = signed_in(Role.ELECTED)
    assert "2-13" in {one["id"] for one in elected.get("/api/indicators").json()["indicators"]}
    rate = elected.get("/api/indicators/2-13").json()["measures"][0]
    line = next(one for one in rate["lines"] if one["id"] == "Violences physiques")
    assert (line["value"], line["besides"], line["series"]) == (3.0, [5.0, 3.8], {"2023": 2.0, "2024": 3.0})
    assert rate["year"] == "2024"
    assert rate["method"].startswith("Faits enregistrés")
    assert {one["dataset"].rpartition("/")[2] for one in rate["sources"]} > {"delinquance", "delinquance-semblables"}
