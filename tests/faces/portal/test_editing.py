"""An agent corrects a thing from its sheet; programs do by the API; nobody else."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.territory.viewer import Role
from faces.portal.small_town import CODE
from territory_makers import make_key

HOME = f"/donnees/{CODE}/arbres/"
API = f"/api/datasets/{CODE}/arbres/features"


@pytest.fixture
def own_lake(small_town: str, small_lake: Path, tmp_path: Path, settings: Any) -> Path:
    """The trees of the small town, to be corrected without the others seeing it."""
    shutil.copytree(small_lake / CODE / "arbres", tmp_path / "lake" / CODE / "arbres")
    settings.LAKE_DIR = tmp_path / "lake"
    return tmp_path / "lake"


def _first(client: Client) -> dict[str, Any]:
    return client.get(API, {"limit": 1}).json()["features"][0]


def test_an_agent_corrects_moves_and_removes_from_the_sheet(own_lake: Path, signed_in: Callable[..., Client]) -> None:
    agent, public = signed_in(Role.AGENT), Client()
    tree = _first(public)
    sheet = f"{HOME}fiche/{tree['id']}/"
    assert "retoucher" in agent.get(sheet).content.decode()
    assert "retoucher" not in public.get(sheet).content.decode()
    form = agent.get(f"{sheet}retoucher/").context["form"]
    sent = {key: "" if value is None else value for key, value in form.initial.items()}
    wrong = agent.post(f"{sheet}retoucher/", sent | {"hauteur": "haut"})
    assert wrong.status_code == 400
    answer = agent.post(f"{sheet}retoucher/", sent | {"essence": "Ginkgo", "_lon": "3.0171"})
    assert answer["Location"] == sheet
    assert "Ginkgo" in public.get(sheet).content.decode()
    seen = json.loads(public.get(f"{API}/{tree['id']}").content)
    assert (seen["properties"]["essence"], seen["geometry"]["coordinates"][0]) == ("Ginkgo", 3.0171)
    assert seen["properties"]["nom"] == tree["properties"]["nom"]
    laid = public.get(f"/tuiles/{CODE}/retouches.json?depuis=").json()
    assert laid["layers"]["arbres"]["hidden"] == [tree["id"]]
    assert "releve_par" not in laid["layers"]["arbres"]["features"][0]["properties"]
    assert public.get(f"/tuiles/{CODE}/retouches.json", {"depuis": laid["mark"]}).status_code == 204
    assert agent.post(f"{sheet}retoucher/", {"do": "remove"})["Location"] == HOME
    assert public.get(sheet).status_code == 404


def undo_button(page: str) -> dict[str, str]:
    """Read the button that undoes, as it is shown: where it sends, and the id of the thing."""
    found = re.search(r'<form method="post" action="([^"]+annuler/)".*?name="id" value="([^"]+)"', page, re.DOTALL)
    assert found is not None
    return {"address": found[1], "id": found[2]}


def test_what_was_just_done_can_be_undone_by_who_did_it(own_lake: Path, signed_in: Callable[..., Client]) -> None:
    agent, other, public = signed_in(Role.AGENT), signed_in(Role.AGENT), Client()
    tree = _first(public)
    one, edit = f"{API}/{tree['id']}", f"{HOME}fiche/{tree['id']}/retoucher/"
    sent = {key: "" if value is None else value for key, value in agent.get(edit).context["form"].initial.items()}
    for change in ({"_lat": "45.0111"}, {"_lat": "45.0222"}):
        shown = agent.post(edit, sent | change, follow=True).content.decode()
    undo = undo_button(shown)
    assert public.get(one).json()["geometry"]["coordinates"][1] == 45.0222
    assert other.post(undo["address"], {"id": undo["id"]}).status_code == 400
    assert agent.post(undo["address"], {"id": undo["id"]})["Location"] == edit.removesuffix("retoucher/")
    assert public.get(one).json()["geometry"]["coordinates"][1] == 45.0111
    # Once: what came before was not the last thing done.
    assert agent.post(undo["address"], {"id": undo["id"]}).status_code == 400
    # What was retired comes back, what was added goes; each open map is told.
    mark = public.get(f"/tuiles/{CODE}/retouches.json?depuis=").json()["mark"]
    gone = undo_button(agent.post(edit, {"do": "remove"}, follow=True).content.decode())
    assert public.get(one).status_code == 404
    agent.post(gone["address"], {"id": gone["id"]})
    assert public.get(one).json()["geometry"]["coordinates"][1] == 45.0111
    assert public.get(f"/tuiles/{CODE}/retouches.json", {"depuis": mark}).status_code == 200
    new = {"nom": "Arbre neuf", "_lon": "3.01", "_lat": "45.01"}
    added = undo_button(agent.post(f"{HOME}ajouter/", new, follow=True).content.decode())
    assert agent.post(added["address"], {"id": added["id"]})["Location"] == HOME
    assert public.get(f"{API}/{added['id']}").status_code == 404


def test_the_panel_of_the_map_leads_those_who_may_to_the_form(own_lake: Path, signed_in: Callable[..., Client]) -> None:
    agent, public = signed_in(Role.AGENT), Client()
    fragment = f"{HOME}fiche/{_first(public)['id']}/?fragment"
    assert "retoucher/" in agent.get(fragment).content.decode()
    assert "retoucher/" not in public.get(fragment).content.decode()
    # The place is chosen on a map, which fills the two fields.
    assert "data-pick=" in agent.get(fragment.replace("?fragment", "retoucher/")).content.decode()


def test_an_agent_adds_and_a_program_too(own_lake: Path, signed_in: Callable[..., Client]) -> None:
    agent, public = signed_in(Role.AGENT), Client()
    sent = {"nom": "Arbre neuf", "essence": "Orme", "hauteur": "2", "releve_par": "", "_lon": "3.01", "_lat": "45.01"}
    found = agent.post(f"{HOME}ajouter/", sent)["Location"]
    assert "Arbre neuf" in public.get(found).content.decode()
    key = {"Authorization": f"Bearer {make_key('data:write', territory=CODE)}"}
    payload = {
        "type": "Feature",
        "properties": {"nom": "Par l’API"},
        "geometry": {"type": "Point", "coordinates": [3.01, 45.01]},
    }
    made = public.post(API, payload, content_type="application/json", headers=key)
    assert made.status_code == 200, made.content
    one = f"{API}/{made.json()['id']}"
    changed = public.patch(one, {"properties": {"nom": "Renommé"}}, content_type="application/json", headers=key)
    assert changed.status_code == 200
    assert public.get(one).json()["properties"]["nom"] == "Renommé"
    refused = public.patch(one, {"properties": {"rien": 1}}, content_type="application/json", headers=key)
    assert (refused.status_code, refused.json()["where"]) == (400, "rien")
    assert public.delete(one, headers=key).status_code == 200
    assert public.get(one).status_code == 404
    assert public.delete(one, headers=key).status_code == 404
