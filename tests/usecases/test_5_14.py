"""5-14, the agent's workbench: filter, join and sum up from the browser; saved with the rights of its readers."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.test import Client
from shapely.geometry import shape

from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import AGENTS, ANONYMOUS, PUBLIC, Grant, Role, Viewer
from beffroi.lake import operations as lake_operations
from beffroi.lake import queries as lake
from beffroi.lake import serving, sql
from beffroi.lake.crossing import operations, queries
from beffroi.lake.crossing.recipe import Recipe, recipe_from_json, recipe_of
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import BadQuery, DatasetNotFound, DatasetRef
from faces.portal.small_town import CODE

pytestmark = pytest.mark.django_db

AGENT = Viewer(None, (Grant(CODE, Role.AGENT),))
BY_DISTRICT = ["jeu|arbres", "dans|quartiers", "garder|hauteur|ge|10", "resumer|@quartiers|mean|hauteur"]
SCHOOLS = "nom,code_quartier,eleves\nÉcole A,LE  BAS,100\nÉcole B,le-haut,50\nÉcole C,le haut,70\nÉcole D,ailleurs,9\n"


@pytest.fixture
def town(small_town: str, small_lake: Path, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The small town, whose lake may be written without touching the other tests' own."""
    settings.LAKE_DIR = tmp_path / "lake"
    shutil.copytree(small_lake, settings.LAKE_DIR)
    yield small_town
    serving.close_all()


def publish(text: str, slug: str, tmp_path: Path, **said: Any) -> None:
    path = tmp_path / f"{slug}.csv"
    path.write_text(text, encoding="utf-8")
    lake_operations.import_source(path, territory=CODE, at=now(), definition=Definition(slug, **said))


def every(slug: str) -> list[dict[str, Any]]:
    page = lake.features(ANONYMOUS, DatasetRef(CODE, slug), limit=1000)
    return [json.loads(body) for body in page.features]


def answer(*steps: str, viewer: Viewer = AGENT, **said: Any) -> queries.Crossed:
    return queries.crossed(viewer, CODE, recipe_of(steps), **said)


def test_figures_by_area_are_those_another_method_finds(small_town: str) -> None:
    found = answer(*BY_DISTRICT)
    trees = [(shape(one["geometry"]), one["properties"]["hauteur"]) for one in every("arbres")]
    for area in every("quartiers"):
        inside = [high for place, high in trees if high >= 10 and shape(area["geometry"]).contains(place)]
        (mine,) = [one for one in found.groups if one.key == area["properties"]["nom"]]
        assert (mine.count, mine.id) == (len(inside), str(area["id"]))
        assert mine.figure == (pytest.approx(sum(inside) / len(inside)) if inside else None)
    assert found.total == sum(high >= 10 for _, high in trees)


def test_rows_are_grouped_by_a_column_and_small_groups_are_hushed(small_town: str) -> None:
    found = answer("jeu|arbres", "garder|hauteur|gt|18", "resumer|essence|count|", least=5)
    expected = Counter(one["properties"]["essence"] for one in every("arbres") if one["properties"]["hauteur"] > 18)
    assert {one.key: one.count for one in found.groups} == dict(expected)
    assert [one.figure for one in found.groups] == [n if n >= 5 else None for _, n in sorted(expected.items())]
    assert found.hushed == sum(n < 5 for n in expected.values()) > 0


def test_a_key_is_compared_as_people_write_it_and_counts_nothing_twice(town: str, tmp_path: Path) -> None:
    publish(SCHOOLS, "ecoles", tmp_path)
    publish("quartier,rang\nLe Haut,1\nle haut,2\nLe Bas,3\n", "rangs", tmp_path)
    steps = ["jeu|ecoles", "lier|rangs|code_quartier|quartier"]
    found = answer(*steps, "resumer||sum|eleves")
    assert (found.total, found.sources[1].found, found.groups[0].figure) == (4, 3, 229)
    ranks = answer(*steps)
    assert [row[-1] for row in ranks.rows] == [3, 1, 1, None], "the first of two rows that bear the same key"
    assert queries.proposed_joins(AGENT, CODE, Recipe("ecoles"), ["rangs"]) == [], "their names tell of no usual key"


def test_joins_are_proposed_by_comparing_what_the_columns_hold(town: str, tmp_path: Path) -> None:
    publish("siret;bail\n12345678900012;2020\n99999999900099;2021\n", "commerces", tmp_path)
    publish("num_siret;effectif\n123 456 789 00012;3\n", "etablissements", tmp_path)
    (found,) = queries.proposed_joins(AGENT, CODE, Recipe("commerces"), ["etablissements", "quartiers"])
    assert (found.dataset, found.on, found.to, found.percent) == ("etablissements", "siret", "num_siret", 50)
    places = queries.proposed_joins(AGENT, CODE, Recipe("arbres"), ["quartiers", "parcs"])
    held = sum(shape(a["geometry"]).contains(shape(t["geometry"])) for a in every("quartiers") for t in every("arbres"))
    assert [(one.dataset, one.matched) for one in places] == [("quartiers", held)]


@pytest.mark.parametrize(
    "steps",
    [
        BY_DISTRICT,
        ["jeu|arbres", "dans|quartiers", "garder|quartiers.nom|contains|bas"],
        ["jeu|arbres", "garder|essence|eq|L'if ?", "resumer|essence|distinct|nom"],
        ["jeu|adresses", "lier|rues|nom_voie|nom", "resumer|@rues|count|"],
    ],
)
def test_the_sql_shown_gives_the_same_rows_beside_the_downloaded_files(
    small_town: str, steps: list[str], tmp_path: Path
) -> None:
    found = answer(*steps, most=1000)
    for source in found.sources:
        path = lake.download(AGENT, source.ref, "parquet").path
        assert path is not None
        shutil.copy(path, tmp_path / f"{source.ref.slug}.parquet")
    with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as con:
        con.execute(f"LOAD '{sql._spatial_extension()}'")
        con.execute(f"SET file_search_path = '{tmp_path}'")
        rows = con.execute(found.sql).fetchall()
    mine = found.rows or tuple((one.id or None, one.key, one.count, one.figure) for one in found.groups)
    assert rows == [tuple(row) for row in mine]


def test_a_recipe_shows_its_reader_no_more_than_its_sources(town: str) -> None:
    assert answer("jeu|arbres", "resumer|releve_par|count|").groups[0].key == "L. Martin"
    for steps in (["resumer|releve_par|count|"], ["garder|releve_par|eq|L. Martin"], ["lier|rues|releve_par|nom"]):
        with pytest.raises(BadQuery, match="releve_par"):
            answer("jeu|arbres", *steps, viewer=ANONYMOUS)
    with pytest.raises(DatasetNotFound):
        answer("jeu|astreintes", viewer=ANONYMOUS)
    recipe = recipe_of(["jeu|arbres", "resumer|releve_par|count|"])
    with pytest.raises(BadQuery, match="ne voient pas toutes ses sources"):
        operations.save_crossing(AGENT, CODE, recipe, title="Qui relève", kind="indicator", access=PUBLIC, at=now())
    operations.save_crossing(AGENT, CODE, recipe, title="Qui relève", kind="indicator", access=AGENTS, at=now())
    assert [one.title for one in queries.saved_crossings(AGENT, CODE)] == ["Qui relève"]
    with pytest.raises(DatasetNotFound):
        queries.saved_crossing(ANONYMOUS, CODE, "qui-releve")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["jeu|arbres", "resumer||sum|essence"], "n'est pas un nombre"),
        (["jeu|arbres", "dans|rues"], "pas de surfaces"),
        (["jeu|marches", "dans|quartiers"], "n'est pas situé"),
        (["jeu|arbres", "dans|arbres"], "déjà là"),
        (["jeu|arbres", "garder|hauteur|ge|beaucoup"], "beaucoup"),
        (["jeu|arbres", "lier|quartiers|nom|rien"], "rien"),
        (["jeu|arbres", "resumer|essence:annee|count|"], "n'est pas une période"),
        (["jeu|arbres", "dormir|tard"], "illisible"),
        (["garder|hauteur|ge|1"], "illisible"),
        ([], "aucun jeu"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(small_town: str, steps: list[str], said: str) -> None:
    with pytest.raises(BadQuery, match=said):
        answer(*steps)


def test_a_recipe_is_data_and_comes_back_as_it_was() -> None:
    recipe = recipe_of(["jeu|a", "lier|b|x|y", "dans|c", "garder|b.z|contains|l'été | 100 %", "resumer|d:annee|sum|e"])
    assert recipe_from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    assert recipe_of(recipe.steps()) == recipe


def test_a_dataset_is_made_with_its_lineage_and_made_again_with_its_sources(
    town: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(operations, "_ask", asked.append)
    publish(SCHOOLS, "ecoles", tmp_path, title="Écoles", licence="ODbL 1.0", producer="Ville")
    recipe = recipe_of(["jeu|ecoles", "garder|eleves|ge|60"])
    saved = operations.save_crossing(
        AGENT, CODE, recipe, title="Grandes écoles", kind="dataset", access=PUBLIC, at=now()
    )
    operations.refresh_crossing(saved.id, at=now())
    ref = DatasetRef(CODE, "grandes-ecoles")
    made = lake.dataset(ANONYMOUS, ref)
    assert (made.summary.rows, made.summary.licence, made.summary.producer) == (2, "ODbL 1.0", "Ville")
    assert "Tiré de « Écoles »" in made.summary.description
    (source,) = [one for one in made.evidences if one.subject == "member"]
    assert lake.dataset(ANONYMOUS, DatasetRef(CODE, "ecoles")).summary.version in str(source.why)
    with pytest.raises(BadQuery, match="existe déjà"):
        operations.save_crossing(AGENT, CODE, recipe, title="Grandes écoles", kind="dataset", access=PUBLIC, at=now())
    asked.clear()
    publish("nom\nAilleurs\n", "autres", tmp_path)
    assert asked == []
    publish(SCHOOLS + "École E,le bas,300\n", "ecoles", tmp_path, title="Écoles")
    assert asked == [saved.id], "a worker is asked, by the publication of a source and no other"
    operations.refresh_crossing(saved.id, at=now())
    assert lake.dataset(ANONYMOUS, ref).summary.rows == 3
    publish(SCHOOLS, "ecoles", tmp_path, title="Écoles", access=AGENTS)
    outcome = operations.refresh_crossing(saved.id, at=now())
    assert outcome is not None
    assert outcome.status.value == "refused"
    with pytest.raises(DatasetNotFound):
        lake.dataset(ANONYMOUS, ref)
    assert queries.saved_crossings(AGENT, CODE)[0].fault is not None


def test_an_agent_crosses_data_step_by_step_without_javascript(town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    page = agent.get("/croiser/", {"jeu": "arbres", "ajouter": "jeu"}, follow=True)
    for added in (
        {"autre": "quartiers", "ajouter": "dans"},
        {"colonne": "hauteur", "test": "ge", "valeur": "10", "ajouter": "garder"},
        {"par": "@quartiers", "calcul": "count", "sur": "hauteur", "ajouter": "resumer"},
    ):
        page = agent.get("/croiser/", {"e": page.context["steps"], **added}, follow=True)
    assert page.context["steps"] == [
        "jeu|arbres",
        "dans|quartiers",
        "garder|hauteur|ge|10",
        "resumer|@quartiers|count|",
    ]
    assert "Garder si « Hauteur » est au moins 10" in page.content.decode()
    figures = {one.name: one.count for one in page.context["shown"].groups}
    (overlay,) = json.loads(page.context["map"]["config"])["overlays"]
    drawn = {
        one["properties"]["title"]: one["properties"]["label"] for one in agent.get(overlay["url"]).json()["features"]
    }
    assert drawn == {f"{name} : {count}": str(count) for name, count in figures.items()}
    undone = agent.get(page.context["back"])
    assert undone.context["steps"] == page.context["steps"][:-1]
    assert len(undone.context["shown"].rows) == 20
    preview = agent.get("/croiser/", {"e": ["jeu|arbres"], "par": "essence", "ajouter": "resumer", "apercu": "1"})
    assert [one.name for one in preview.context["shown"].groups] == ["Platane", "Tilleul", "Érable"]
    assert "<html" not in preview.content.decode()
    wrong = agent.get("/croiser/", {"e": ["jeu|arbres", "garder|hauteur|ge|haut"]})
    assert wrong.status_code == 400
    assert "Annuler la dernière étape" in wrong.content.decode()
    assert agent.get("/croiser/", {"e": ["jeu|arbres"], "csv": "1"}).content.count(b"\n") == 121


def test_an_indicator_given_to_all_tells_its_threshold_and_reaches_the_officials(
    town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    agent = signed_in(Role.AGENT)
    steps = ["jeu|arbres", "garder|hauteur|gt|18", "resumer|essence|count|"]
    kept = agent.post(
        "/croiser/garder/",
        {"e": steps, "titre": "Grands arbres", "genre": "indicator", "access": "public"},
        follow=True,
    )
    assert kept.redirect_chain[-1][0] == "/indicateurs/grands-arbres/"
    page = client.get("/indicateurs/grands-arbres/").content.decode()
    assert "ce qui compte moins de 5 lignes n’est pas dit" in page
    assert "Reprendre ce croisement" not in page
    assert "Grands arbres" in client.get("/indicateurs/").content.decode()
    figures = signed_in(Role.ELECTED).get("/elu/").context["figures"]
    expected = sum(one["properties"]["hauteur"] > 18 for one in every("arbres"))
    assert [(one.value, one.note) for one in figures if one.title == "Grands arbres"] == [
        (expected, "seuil : 5 lignes")
    ]
    again = agent.post("/croiser/garder/", {"e": steps, "titre": "Grands arbres", "access": "public"}, follow=True)
    assert "existe déjà" in again.content.decode()
    agent.post("/croiser/grands-arbres/retirer/")
    assert client.get("/indicateurs/grands-arbres/").status_code == 404
