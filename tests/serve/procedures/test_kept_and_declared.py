"""What is kept of people and until when; what a file of a procedure may not say; what silence is worth."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from beffroi.base.kernel.resources import shipped_folder
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.cases import queries as cases
from beffroi.serve.cases.definition import Requester
from beffroi.serve.procedures import operations, personal, queries
from beffroi.serve.procedures.declaration import settings_of
from beffroi.serve.procedures.drafts import LIFE
from beffroi.serve.procedures.models import Request
from beffroi.serve.procedures.opened import forget_procedures
from beffroi.serve.procedures.scenes import prepared
from territory_makers import AT, TOWN, make_person, make_town

ANSWERS = {"demande": "premier", "flux": "tri", "adresse": "12 Grande Rue", "logement": "maison", "personnes": 3}
REASON = "Un bac est déjà en place (règlement, art. 4)."
SAME_PAGE = {"field": "demande", "among": ["taille"]}
AGENT = Viewer(None, (Grant(TOWN, Role.AGENT, frozenset({"proprete"})),))


@pytest.fixture
def town(db: None, settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.DATA_DIR = tmp_path
    forget_procedures()
    make_town()
    territory.add_service(territory=TOWN, slug="proprete", name="Propreté", at=AT)
    yield TOWN
    forget_procedures()


def test_a_person_takes_her_answers_with_her_and_has_them_erased(town: str) -> None:
    hers, other = make_person(), make_person()
    kept = {
        person: operations.file_request(
            territory=town, use_case="6-06", answers=ANSWERS, requester=Requester(person, "Camille"), at=AT
        )
        for person in (hers, other)
    }
    (told,) = personal.export(hers)
    assert told["answers"]["personnes"] == 3
    assert personal.erase(hers, erased_number=-1, at=AT) == 1
    emptied = {row.pk: row.answers == {} for row in Request.objects.order_by("pk")}
    assert emptied == {kept[hers].case_id: True, kept[other].case_id: False}


def test_answers_and_files_go_when_their_procedure_says(town: str) -> None:
    photo = prepared("depot-plainte")
    stolen = ANSWERS | {"demande": "remplacement", "constat": "vole"}
    del stolen["personnes"]
    who = Requester(name="Noa", phone="0467000000")
    opened = operations.file_request(
        territory=town, use_case="6-06", answers=stolen, files=[photo], requester=who, at=AT
    )
    operations.decide(number=opened.number, decision="refuse", reason=REASON, by=AGENT, at=AT)
    before, after = AT + timedelta(days=360), AT + timedelta(days=370)
    assert sum(personal.expire(before, at=before)) == 0
    assert sum(personal.expire(after, at=after, dry_run=True)) == 1
    assert cases.attachments(ANONYMOUS, opened.number, token=opened.token) != []
    assert sum(personal.expire(after, at=after)) == 1
    assert queries.followed_request(opened.token)[0].answers == {}
    assert cases.attachments(ANONYMOUS, opened.number, token=opened.token) == []
    # Done once: the night after finds nothing more to do.
    assert sum(personal.expire(after, at=after)) == 0


def test_a_draft_ends_with_its_time_and_is_nobody_elses(town: str) -> None:
    viewer = Viewer(make_person())
    anonymous = operations.begin_draft(territory=town, use_case="6-06", viewer=ANONYMOUS, at=AT)
    owned = operations.begin_draft(territory=town, use_case="6-06", viewer=viewer, at=AT)
    assert queries.draft(anonymous.key, territory=town, viewer=viewer, at=AT + LIFE / 2).key == anonymous.key
    for key, at in ((anonymous.key, AT + LIFE), (owned.key, AT)):
        with pytest.raises(queries.DraftGone):
            queries.draft(key, territory=town, viewer=ANONYMOUS, at=at)
    assert [one.key for one in queries.own_drafts(viewer, town, at=AT + LIFE)] == [owned.key]


def declared() -> dict[str, Any]:
    text = next((shipped_folder("usecases") / "6").glob("6-06-*.toml")).read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["procedures"]
    return table


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda one: one["step"][0]["field"][1].update(when=SAME_PAGE), "étape précédente"),
        (lambda one: one["step"][1]["field"][2]["when"].update(among=["jamais"]), "n’est pas une réponse possible"),
        (lambda one: one["decision"][0].update(needs=["poids"]), "constat « poids » inconnu"),
        (lambda one: one["decision"][0].update(delivers=True), "que « delivery » ne décrit pas"),
        (lambda one: one["silence"].update(rule="administration.silence-vaut-oui"), "silence-vaut"),
        (lambda one: one["proposal"].update(band=[{"up_to": 2, "label": "120"}]), "la dernière tranche sans borne"),
        (lambda one: one["step"][2]["field"][0].pop("why"), "dites « why »"),
        (lambda one: one["step"][0].update(code="vous"), "sont les étapes de toute démarche"),
    ],
)  # fmt: skip
def test_a_file_that_leads_nowhere_is_refused_with_its_reason(mistake: Any, words: str) -> None:
    table = declared()
    mistake(table)
    with pytest.raises(ValidationError, match=words):
        settings_of(table)
