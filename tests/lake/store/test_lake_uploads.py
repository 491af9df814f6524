"""An agent sends a file, sees what it would become, and decides."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

import territory_makers as makers
from beffroi.base.journal import queries as journal
from beffroi.base.kernel.errors import BeffroiError, NotFound, Refused
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import operations, queries, uploads
from beffroi.lake.definitions import ColumnDefinition, Definition
from lake.store import lakes

CSV = "id;espece;note;lon;lat\n1;Platane;a;3.88;43.61\n2;Micocoulier;b;3.89;43.62\n3;Tilleul;c;3.87;43.60\n"
CHANGED = CSV.replace("Micocoulier", "Olivier").replace("3;Tilleul", "4;Tilleul")

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(lake: Path, settings: Any, tmp_path: Path) -> None:
    """Give a town, a lake and a place for files."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    settings.STRONG_AUTH = False
    makers.make_town()


@pytest.fixture
def agent(house: None) -> Viewer:
    """Give an agent who has an account."""
    return Viewer(makers.make_person(Role.AGENT), (Grant(makers.TOWN, Role.AGENT),))


def _sent(viewer: Viewer, text: str = CSV, name: str = "arbres.csv", **options: Any) -> int:
    file = io.BytesIO(text.encode())
    return operations.stage_upload(viewer, territory=makers.TOWN, file=file, filename=name, at=lakes.AT, **options)


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]


def test_a_file_is_seen_before_it_counts_then_published(agent: Viewer, tmp_path: Path) -> None:
    number = _sent(agent)
    preview = queries.upload_preview(agent, number)
    assert preview.rows_total == 3
    assert preview.geometry_type == "Point"
    assert preview.diff is None
    assert preview.access == "agents"
    assert "Platane" in {value for row in preview.rows for value in row}
    assert queries.datasets(agent) == []
    outcome = operations.publish_upload(
        agent, number, at=lakes.AT, title="Arbres", access="public", column_access={"note": "agents"}
    )
    assert outcome.status == "published"
    assert b"Platane" in queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    assert b'"note"' not in queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    assert queries.upload(agent, number).state == "published"
    assert _files(tmp_path) == []


def test_the_difference_is_told_before_and_rights_stay_as_they_are(agent: Viewer) -> None:
    operations.publish_upload(agent, _sent(agent), at=lakes.AT, access="public", column_access={"note": "agents"})
    number = _sent(agent, CHANGED, name="autre-nom.csv", slug="arbres")
    diff = queries.upload_preview(agent, number).diff
    assert diff is not None
    assert (diff.added, diff.removed, diff.changed, diff.unchanged) == (1, 1, 1, 1)
    operations.publish_upload(agent, number, at=lakes.AT + timedelta(hours=1))
    shown = queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    assert b"Olivier" in shown
    assert b'"note"' not in shown
    assert len(queries.versions(agent, lakes.ref())) == 2


def test_a_publication_is_undone_by_going_back(agent: Viewer) -> None:
    first = operations.publish_upload(agent, _sent(agent), at=lakes.AT, access="public").version
    operations.publish_upload(agent, _sent(agent, CHANGED), at=lakes.AT + timedelta(hours=1))
    assert first is not None
    operations.restore_version(agent, lakes.ref(), first, at=lakes.AT + timedelta(hours=2))
    assert b"Micocoulier" in queries.features(ANONYMOUS, lakes.ref()).feature_collection()
    assert len(queries.versions(agent, lakes.ref())) == 2
    with pytest.raises(Refused):
        operations.restore_version(ANONYMOUS, lakes.ref(), first, at=lakes.AT)


def test_every_step_is_in_the_journal_with_its_author(agent: Viewer) -> None:
    operations.publish_upload(agent, _sent(agent), at=lakes.AT, access="public")
    operations.discard_upload(agent, _sent(agent, CHANGED), at=lakes.AT)
    told = [
        event.kind for event in journal.events(makers.administrator()).events if event.subject == "dataset:34172/arbres"
    ]
    assert sorted(told) == sorted(
        ["upload.staged", "upload.published", "dataset.published", "upload.staged", "upload.refused"]
    )


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("%PDF-1.4 rapport", "rapport.csv", "document PDF"),
        ("{\\rtf1 lettre}", "lettre.csv", "RTF"),
    ],
)
def test_what_is_not_data_is_refused_with_a_sentence(agent: Viewer, content: str, name: str, said: str) -> None:
    found = queries.upload(agent, _sent(agent, content, name))
    assert found.state == "refused"
    assert said in str(found.reason)
    assert len(str(found.reason)) > 20


def test_a_file_too_big_or_empty_is_refused_and_leaves_nothing(agent: Viewer, settings: Any, tmp_path: Path) -> None:
    settings.UPLOAD_MAX_MB = 0
    with pytest.raises(BeffroiError, match="dépasse"):
        _sent(agent)
    settings.UPLOAD_MAX_MB = 1
    with pytest.raises(BeffroiError, match="vide"):
        _sent(agent, "")
    assert _files(tmp_path) == []


@pytest.mark.parametrize("name", ["../../evil.csv", "C:\\temp\\arbres.csv", "a\x00b.csv", "....", "é" * 300 + ".csv"])
def test_no_file_name_leaves_the_folder(agent: Viewer, tmp_path: Path, name: str) -> None:
    number = _sent(agent, name=name)
    assert queries.upload(agent, number).state in ("staged", "refused")
    outside = [path for path in tmp_path.rglob("*.csv") if not path.is_relative_to(tmp_path / "uploads" / "lake")]
    assert outside == []


def test_nobody_else_sends_sees_or_publishes(agent: Viewer) -> None:
    number = _sent(agent)
    stranger = Viewer(agent.person_id, (Grant("93010", Role.AGENT),))
    elected = Viewer(agent.person_id, (Grant(makers.TOWN, Role.ELECTED),))
    for viewer in (ANONYMOUS, stranger, elected):
        with pytest.raises(Refused):
            _sent(viewer)
        with pytest.raises(NotFound):
            queries.upload_preview(viewer, number)
        with pytest.raises(NotFound):
            operations.publish_upload(viewer, number, at=lakes.AT)


def test_a_service_the_agent_is_not_of_cannot_be_named_nor_overwritten(agent: Viewer, lake: Path) -> None:
    number = _sent(agent)
    with pytest.raises(Refused, match="réserver"):
        operations.publish_upload(agent, number, at=lakes.AT, access="service:police")
    lakes.published(lake, [lakes.tree(1)], slug="cachees", access="service:police")
    with pytest.raises(Refused, match="déjà pris"):
        _sent(agent, slug="cachees")


def test_a_forgotten_file_expires_and_is_erased(agent: Viewer, tmp_path: Path) -> None:
    number = _sent(agent)
    assert uploads.expire_uploads(lakes.AT + timedelta(days=6)) == 0
    assert uploads.expire_uploads(lakes.AT + timedelta(days=8)) == 1
    assert queries.upload(agent, number).state == "expired"
    assert _files(tmp_path) == []
    with pytest.raises(NotFound):
        operations.publish_upload(agent, number, at=lakes.AT)


def test_the_pages_lead_from_the_file_to_the_dataset(agent: Viewer, settings: Any, client: Client) -> None:
    settings.ROOT_URLCONF = "lake.store.upload_addresses"
    client.force_login(_person(agent))
    empty = client.get("/agent/depots/")
    assert "Aucun fichier déposé" in empty.content.decode()
    sent = client.post("/agent/depots/", {"file": SimpleUploadedFile("arbres.csv", CSV.encode()), "dataset": ""})
    assert sent.status_code == 302
    page = client.get(sent["Location"]).content.decode()
    assert "3 lignes seront publiées" in page
    assert "Micocoulier" in page
    answer = client.post(f"{sent['Location']}publier/", {"title": "Nos arbres", "access": "public"})
    assert answer.status_code == 302
    assert queries.dataset(ANONYMOUS, lakes.ref()).summary.title == "Nos arbres"
    assert "Ce fichier est publié" in client.get(sent["Location"]).content.decode()


def test_the_pages_answer_faults_with_sentences(agent: Viewer, settings: Any, client: Client) -> None:
    settings.ROOT_URLCONF = "lake.store.upload_addresses"
    client.force_login(_person(agent))
    nothing = client.post("/agent/depots/", {"dataset": ""})
    assert nothing.status_code == 400
    sent = client.post("/agent/depots/", {"file": SimpleUploadedFile("a.csv", b"%PDF-1.4 x"), "dataset": ""})
    assert "document PDF" in client.get(sent["Location"]).content.decode()
    sent = client.post("/agent/depots/", {"file": SimpleUploadedFile("arbres.csv", CSV.encode()), "dataset": ""})
    untitled = client.post(f"{sent['Location']}publier/", {"title": "", "access": "public"})
    assert untitled.status_code == 400
    stolen = client.post(f"{sent['Location']}publier/", {"title": "x", "access": "service:police"})
    assert stolen.status_code == 400
    assert client.get("/agent/depots/999999/").status_code == 404
    assert client.post(f"{sent['Location']}retirer/").status_code == 302


def _person(viewer: Viewer) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(pk=viewer.person_id)


def test_a_file_that_breaks_its_schema_is_refused_with_the_line(
    agent: Viewer, lake: Path, tmp_path: Path, client: Client
) -> None:
    path = tmp_path / "arbres.csv"
    path.write_text(CSV, encoding="utf-8")
    rules = {"espece": ColumnDefinition(title="Espèce", enum=("Platane", "Micocoulier", "Tilleul"))}
    operations.import_source(
        path, territory=makers.TOWN, at=lakes.AT, definition=Definition("arbres", id="id", columns=rules)
    )
    served = queries.dataset(agent, queries.DatasetRef(makers.TOWN, "arbres")).summary.version
    broken = _sent(agent, CHANGED, slug="arbres")
    client.force_login(get_user_model().objects.get(pk=agent.person_id))
    page = client.get(f"/agent/depots/{broken}/").content.decode()
    assert "ligne 3 : « Olivier »" in page
    outcome = operations.publish_upload(agent, broken, at=lakes.AT)
    assert str(outcome.reason).startswith("ligne 3, colonne « Espèce » : « Olivier » ; le schéma demande l’une de")
    assert queries.dataset(agent, queries.DatasetRef(makers.TOWN, "arbres")).summary.version == served
    mended = _sent(agent, CSV + "4;Tilleul;d;3.88;43.62\n", slug="arbres")
    assert operations.publish_upload(agent, mended, at=lakes.AT).reason is None
