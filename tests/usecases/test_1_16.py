"""1-16: « search by speciality, distance, accessibility, imported from the national register »."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from beffroi.faces.portal import layer_near
from beffroi.sense.mobility.queries import Nearby

HOME = "/annuaires/1-16/"
MARTIN, DURAND = "Docteur ALIX MARTIN", "CAMILLE DURAND"


def titles(client: Client, **asked: str) -> list[str]:
    return [line.sheet.title for line in client.get(HOME, asked).context["lines"]]


@pytest.mark.django_db
def test_several_activities_of_one_person_are_one_sheet(directories_town: str, client: Client) -> None:
    assert titles(client) == [DURAND, MARTIN]
    sheet = client.get(f"{HOME}praticiens/810000000001/")
    said = [{fact.title: fact.text for fact in place.facts} for place in sheet.context["places"]]
    assert [one["Lieu d’activité"] for one in said] == ["CABINET DU LAVOIR", "CENTRE HOSPITALIER"]
    assert said[0]["Téléphone"].replace("\u00a0", " ") == "04 67 00 00 01"
    assert {fact.title: fact.text for fact in sheet.context["facts"]}["Mode d’exercice"] == (
        "Lib,indép,artis,com, Salarié"
    )


@pytest.mark.django_db
def test_one_searches_by_speciality_even_called_otherwise(directories_town: str, client: Client) -> None:
    assert titles(client, q="cardiologue") == [MARTIN]
    assert titles(client, q="kinesitherapeute") == [DURAND]
    assert titles(client, specialite="Masseur-Kinésithérapeute") == [DURAND]
    assert titles(client, q="centre hospitalier") == [MARTIN]


@pytest.mark.django_db
def test_one_searches_by_the_door_and_what_nobody_told_is_said_so(directories_town: str, client: Client) -> None:
    assert titles(client, acces="plain-pied") == titles(client, acces="marches") == [MARTIN]
    assert titles(client, acces="inconnu") == [DURAND]
    (line,) = client.get(HOME, {"acces": "inconnu"}).context["lines"]
    assert [(place.door, place.door_is_known) for place in line.places] == [("Accès non renseigné", False)]
    page = client.get(f"{HOME}praticiens/810000000001/").context["places"]
    assert [(place.door, place.door_details) for place in page] == [
        ("Marches sans rampe connue", ("3 marches", "porte de 80 cm")),
        ("Entrée de plain-pied", ("porte de 120 cm", "toilettes adaptées")),
    ]


@pytest.mark.django_db
def test_the_nearest_by_the_walk_comes_first_and_is_on_the_map(
    directories_town: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The register has no coordinates: the address of each place found them.
    pins = client.get(f"{HOME}carte.geojson").json()["features"]
    assert sorted(pin["geometry"]["coordinates"] for pin in pins) == [[3.871, 43.601], [3.879, 43.609], [3.88, 43.61]]
    assert titles(client, pres="3.8711, 43.6011") == [MARTIN, DURAND]
    monkeypatch.setattr(layer_near.mobility, "has_graph", lambda _territory: True)

    def by_the_bridge(*_args: object, among: list[tuple[float, float]], **_options: object) -> list[Nearby]:
        """The Rue du Lavoir is near, but a river is between: the place of Durand is the sooner reached."""
        beyond = among.index((3.88, 43.61))
        return [Nearby(beyond, 240.0), *(Nearby(rank, 540.0) for rank in range(len(among)) if rank != beyond)]

    monkeypatch.setattr(layer_near.mobility, "nearest", by_the_bridge)
    lines = client.get(HOME, {"pres": "3.8711, 43.6011"}).context["lines"]
    assert [(line.sheet.title, line.away.said) for line in lines] == [
        (DURAND, "à 4 minutes à pied"),
        (MARTIN, "à 9 minutes à pied"),
    ]


@pytest.mark.django_db
def test_secure_mail_students_and_other_towns_are_never_kept(directories_town: str, client: Client) -> None:
    told = client.get(f"/donnees/{directories_town}/praticiens/telecharger/csv")
    text = b"".join(told.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "mssante" not in text
    assert {row["nom_d_exercice"] for row in csv.DictReader(io.StringIO(text))} == {"MARTIN", "DURAND"}
    found: Any = client.get("/recherche/", {"q": "martin"}).context
    # In the directory of practitioners, and in the guide of the town, which gathers it: once in each.
    counts = {one.title.partition(" : ")[0]: one.count for one in found["directories"]}
    assert counts == {"Répertoire unique des praticiens": 1, "Guide de la ville": 1}
