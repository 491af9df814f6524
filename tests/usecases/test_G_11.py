"""G-11, governed data: owner, schema, rhythm, score; a bad file is refused by its line; lateness is told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import governing, late_notices, operations, queries, serving
from beffroi.lake.definitions import ColumnDefinition, Definition
from beffroi.lake.events import DATASET_PACED
from beffroi.lake.owners import Owners, set_owner
from beffroi.lake.quality import quality
from beffroi.lake.queries import DatasetRef
from faces.portal.small_town import AT, CODE
from territory_makers import make_person

pytestmark = pytest.mark.django_db

WELLS = Definition(
    "puits", title="Puits", rhythm="mensuel", owner="eau",
    columns={"nom": ColumnDefinition(required=True), "debit": ColumnDefinition(min=0, max=90)},
)  # fmt: skip
REF = DatasetRef(CODE, "puits")
AGENT = Viewer(None, (Grant(CODE, Role.AGENT),))
GOOD = "nom;debit;lon;lat\nPuits neuf;12;3.01;45.01\nVieux puits;4;3.011;45.011\n"


@pytest.fixture
def town(small_town: str, small_lake: Path, settings: Any, tmp_path: Path) -> Iterator[str]:
    """The small town, one dataset more, published long ago, in a lake that may be written to."""
    settings.LAKE_DIR, settings.UPLOAD_DIR = tmp_path / "lake", tmp_path / "uploads"
    shutil.copytree(small_lake / small_town, tmp_path / "lake" / small_town, copy_function=os.link)
    territory.add_service(territory=small_town, slug="eau", name="Service de l’eau", at=AT)
    territory.add_service(territory=small_town, slug="parcs", name="Espaces verts", at=AT)
    _publish(tmp_path, timezone.now() - timedelta(days=100), GOOD)
    yield small_town
    serving.close_all()


def _publish(folder: Path, at: Any, text: str) -> None:
    path = folder / "puits.csv"
    path.write_text(text, encoding="utf-8")
    operations.import_source(path, territory=CODE, at=at, definition=WELLS, announce=False)


def _page(client: Client, slug: str, tab: str = "") -> str:
    return " ".join(client.get(f"/donnees/{CODE}/{slug}/{tab}").content.decode().split())


def test_every_dataset_has_an_owner_a_schema_a_rhythm_and_a_score(town: str, client: Client) -> None:
    known = queries.datasets(ANONYMOUS, territory=town)
    assert {"arbres", "marches", "puits"} <= {one.ref.slug for one in known}
    for one in known:
        slug = one.ref.slug
        page = _page(client, slug)
        owner = "Service de l’eau" if slug == "puits" else "Administration de la commune"
        assert f"<dt>Responsable</dt> <dd> {owner}" in page, slug
        assert f"<dt>Rythme</dt> <dd> {one.rhythm or 'aucun annoncé'}" in page, slug
        schema = _page(client, slug, "schema/")
        assert all(column.key in schema for column in queries.dataset(ANONYMOUS, one.ref).columns), slug
        assert "sur 100</strong>, la moyenne" in _page(client, slug, "rapport/"), slug


def test_an_agent_names_who_answers_and_the_public_reads_no_agent(
    town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    agent = signed_in(Role.AGENT, Role.ADMINISTRATOR)
    assert "Administration de la commune" in agent.get("/agent/responsables/").content.decode()
    assert agent.post("/agent/responsables/arbres/", {"owner": "service:parcs"}).status_code == 302
    assert "<dt>Responsable</dt> <dd> Espaces verts" in _page(client, "arbres")
    keeper = make_person(Role.AGENT, territory=town)
    agent.post("/agent/responsables/arbres/", {"owner": f"person:{keeper}"})
    assert "Camille Durand" in agent.get("/agent/responsables/arbres/").content.decode()
    assert "Camille Durand" in _page(agent, "arbres")
    assert "Camille Durand" not in _page(client, "arbres")
    # Who leaves answers no longer, and someone still does.
    territory.revoke_role(person_id=keeper, territory=town, role=Role.AGENT, by=None, at=timezone.now())
    assert Owners(town, at=timezone.now()).of("arbres", access="public").is_town
    assert agent.post("/agent/responsables/arbres/", {"owner": "service:inconnu"}).status_code == 403
    assert client.post("/agent/responsables/arbres/", {"owner": ""}).status_code in (302, 403, 404)


def test_nobody_answers_for_what_they_may_not_read(town: str, tmp_path: Path) -> None:
    path = tmp_path / "captages.csv"
    path.write_text(GOOD, encoding="utf-8")
    secret = Definition("captages", title="Captages", access="service:eau")
    operations.import_source(path, territory=CODE, at=AT, definition=secret, announce=False)
    reader = Viewer(None, (Grant(CODE, Role.AGENT, frozenset({"eau"})),))
    stranger = make_person(Role.AGENT, territory=town, services=("parcs",))
    for named in ({"service": "parcs"}, {"person": stranger}):
        with pytest.raises(Refused):
            set_owner(reader, DatasetRef(CODE, "captages"), at=AT, **named)
    with pytest.raises(queries.DatasetNotFound):
        set_owner(AGENT, DatasetRef(CODE, "captages"), at=AT)
    found = Owners(town, at=timezone.now()).of("captages", access="service:eau")
    assert (found.service, found.is_chosen) == ("eau", False)


def test_a_file_that_breaks_its_schema_is_refused_with_the_line(town: str, signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    text = GOOD + "Puits noir;900;3.012;45.012\n"
    sent = {"file": SimpleUploadedFile("puits.csv", text.encode()), "dataset": "puits", "name": ""}
    page = agent.post("/agent/depots/", sent, follow=True).content.decode()
    assert "ligne 4" in page
    assert "900" in page
    assert queries.dataset(ANONYMOUS, REF).summary.rows == 2


def test_late_data_alert_their_owner_once_and_show_their_date(town: str, client: Client, tmp_path: Path) -> None:
    make_person(Role.AGENT, territory=town, services=("eau",), email="eau@exemple.fr")
    make_person(Role.AGENT, territory=town, services=("parcs",), email="parcs@exemple.fr")
    at = timezone.now()
    late_notices.tell_owners(at=at)
    (letter,) = [one for one in mail.outbox if "Puits" in one.body]
    assert letter.to == ["eau@exemple.fr"]
    day = queries.dataset(ANONYMOUS, REF).summary.updated_at
    assert f"mensuel) : dernière version du {day.day}" in letter.body
    assert f"/donnees/{CODE}/puits/" in letter.body
    late_notices.tell_owners(at=at + timedelta(days=1))
    assert len([one for one in mail.outbox if "Puits" in one.body]) == 1, "once per lateness"
    # The reader is told wherever the data are: the page, the list, the layers of the map.
    assert "en retard de" in _page(client, "puits")
    assert "en retard de" in client.get("/donnees/?q=puits").content.decode()
    layers = client.get("/carte/").content.decode()
    assert "en retard de" in layers[layers.index('data-layer="puits"') :].partition("</fieldset>")[0]
    # A new version, late in its turn, is news.
    _publish(tmp_path, at, GOOD.replace("Puits neuf", "Puits rouvert"))
    assert "en retard de" not in _page(client, "puits")
    late_notices.tell_owners(at=at + timedelta(days=60))
    assert len([one for one in mail.outbox if "Puits" in one.body]) == 2


def test_what_could_not_be_sent_is_tried_again(town: str, settings: Any) -> None:
    # Nobody is there to be told: nothing is noted as told.
    late_notices.tell_owners(at=timezone.now())
    assert mail.outbox == []
    make_person(Role.ADMINISTRATOR, territory=town, email="mairie@exemple.fr")
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "usecases.test_G_11.Broken"
    assert late_notices.tell_owners(at=timezone.now()) == 0
    settings.EMAIL_BACKEND = backend
    assert late_notices.tell_owners(at=timezone.now()) == 1
    assert mail.outbox[0].to == ["mairie@exemple.fr"], "a service without agents leaves it to the administrators"


class Broken:
    """A mail server that does not answer."""

    def __init__(self, **_options: object) -> None: ...

    def send_messages(self, _messages: object) -> int:
        raise OSError("no route")


def test_the_owner_has_a_line_in_the_work_of_the_day(town: str, signed_in: Callable[..., Client]) -> None:
    label = "Données dont vous répondez, en retard"
    agent = signed_in(Role.AGENT)
    assert label not in agent.get("/agent/").content.decode()
    set_owner(AGENT, REF, person=int(agent.session["_auth_user_id"]), at=timezone.now())
    assert label in agent.get("/agent/").content.decode()


def _told_rhythm(client: Client, slug: str) -> str:
    return _page(client, slug).partition("<dt>Rythme</dt> <dd>")[2].partition("</dd>")[0].strip()


def test_an_agent_says_the_rhythm_and_takes_it_back(
    town: str, signed_in: Callable[..., Client], client: Client, tmp_path: Path
) -> None:
    agent = signed_in(Role.AGENT)
    assert "/agent/responsables/marches/#rhythm" in _page(agent, "marches")
    assert "aucun annoncé" in _told_rhythm(client, "marches")
    said = {"owner": "service:parcs", "rhythm": "hebdomadaire"}
    page = agent.post("/agent/responsables/marches/", said, follow=True).content.decode()
    assert "Annuler mon dernier changement" in page
    assert _told_rhythm(client, "marches").startswith("hebdomadaire <strong>en retard de")
    # It is read by whoever harvests, and holds whatever version comes next.
    assert "frequency/WEEKLY" in client.get("/dcat.jsonld").content.decode()
    path = tmp_path / "marches.csv"
    path.write_text("jour;place;etals\nlundi;Place Neuve;14\n", encoding="utf-8")
    fresh = Definition("marches", title="Marchés", rhythm="annuel")
    operations.import_source(path, territory=CODE, at=timezone.now(), definition=fresh, announce=False)
    assert _told_rhythm(client, "marches") == "hebdomadaire"
    last = [one.payload for one in Event.objects.filter(kind=DATASET_PACED)]
    assert last == [{"rhythm": "hebdomadaire", "before": ""}]
    agent.post("/agent/responsables/marches/annuler/")
    assert _told_rhythm(client, "marches") == "annuel", "what its file says now"
    assert "Administration de la commune" in _page(client, "marches")
    assert "Rien à annuler" in agent.post("/agent/responsables/marches/annuler/", follow=True).content.decode()
    assert agent.post("/agent/responsables/marches/", {"owner": "", "rhythm": "tous les mardis"}).status_code == 403
    # The same again is no news.
    count = Event.objects.count()
    agent.post("/agent/responsables/marches/", {"owner": "", "rhythm": ""})
    assert Event.objects.count() == count


def test_a_rhythm_nobody_said_is_deduced_and_told_so(town: str, client: Client, tmp_path: Path) -> None:
    silent, ref = Definition("releves", title="Relevés"), DatasetRef(CODE, "releves")
    path, at = tmp_path / "releves.csv", timezone.now() - timedelta(days=150)
    for rank in range(4):
        path.write_text(f"nom;debit\nSource;{rank}\n", encoding="utf-8")
        operations.import_source(
            path, territory=CODE, at=at + timedelta(days=30 * rank), definition=silent, announce=False
        )
        assert queries.dataset(ANONYMOUS, ref).summary.rhythm == ("mensuel" if rank == 3 else "")
    assert _told_rhythm(client, "releves").startswith("mensuel (déduit des versions reçues) <strong>en retard de")
    make_person(Role.ADMINISTRATOR, territory=town, email="mairie@exemple.fr")
    late_notices.tell_owners(at=timezone.now())
    assert "Relevés (mensuel, déduit des versions reçues)" in mail.outbox[0].body


def test_officials_read_the_state_of_all_the_data(town: str, signed_in: Callable[..., Client], tmp_path: Path) -> None:
    today, at = timezone.localdate(), timezone.now()
    elected = signed_in(Role.ELECTED)
    page = elected.get("/elu/donnees/").content.decode()
    states = governing.state_of_data(ANONYMOUS, town, at=at, today=today)
    assert [one.summary.ref.slug for one in states if one.has_owner] == ["puits"]
    assert [one.summary.ref.slug for one in states if one.has_schema] == ["puits"]
    for one in states:
        assert one.score == quality(ANONYMOUS, one.summary.ref, today=today).score, "that of its own page"
    assert "Note moyenne" in page
    for name in ("sans-responsable", "sans-rythme", "sans-schema", "en-retard"):
        assert f"/elu/donnees/?liste={name}#liste" in page
    listed = elected.get("/elu/donnees/?liste=sans-responsable").content.decode()
    table = listed[listed.index('id="liste"') :]
    assert "Marchés" in table
    assert "Puits" not in table
    late = elected.get("/elu/donnees/?liste=en-retard").content.decode()
    assert "Puits" in late[late.index('id="liste"') :]
    # The trend is that of what was served: a hundred days ago the wells were in time.
    then, now = governing.scores_at(AGENT, town, [today - timedelta(days=99), today])
    assert (then.datasets, now.datasets) == (len(states) + 1, len(states) + 1)
    assert then.score is not None
    assert now.score is not None
    assert then.score > now.score
