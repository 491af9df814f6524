"""National sources are asked again by themselves, each at its rhythm, and the page says what came of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.lake import asking, queries, scheduled, tasks
from beffroi.lake.declared import FetchOptions
from beffroi.lake.definitions import Definition
from beffroi.lake.queries import DatasetRef
from faces.portal.small_town import CODE
from territory_makers import make_person

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
AIRES = Definition("aires", title="Aires", rhythm="mensuel", fetch=FetchOptions("https://a.example/a.csv", "a.csv"))
VENTES = Definition("ventes", title="Ventes", rhythm="annuel", fetch=FetchOptions("https://a.example/v.csv", "v.csv"))
BAD = Definition("faux", title="Faux", fetch=FetchOptions("https://a.example/f.csv", "f.csv"))
PAGE = "/agent/donnees-a-surveiller/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def mirror(small_town: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that stands for the web sites of three sources; they were brought once."""
    assert small_town == CODE
    settings.DATA_DIR, settings.MIRROR_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "mirror", tmp_path / "lake"
    monkeypatch.setattr(asking, "load_definitions", lambda: ([AIRES, VENTES, BAD], []))
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "a.csv").write_text("nom,places\nGare,12\nStade,8\n")
    (folder / "f.csv").write_bytes(b"%PDF-1.4 rien d'un tableau")
    asking.folder_of(CODE).mkdir(parents=True)
    return folder


def state(slug: str, at: datetime) -> scheduled.AskedSource:
    return next(one for one in asking.asked_sources(CODE, at=at) if one.slug == slug)


def due(days: int) -> list[str]:
    return [slug for _, slugs in asking.due_sources(at=AT + timedelta(days=days)) for slug in slugs]


@pytest.mark.usefixtures("mirror")
def test_each_source_is_asked_at_its_rhythm_and_a_failure_the_next_day() -> None:
    assert due(0) == ["aires", "faux", "ventes"]
    asking.refresh_sources(CODE, due(0), at=AT)
    assert (state("aires", AT).came_at, state("aires", AT).fault) == (AT, "")
    assert state("ventes", AT).absent
    assert "PDF" in state("faux", AT).fault
    assert asking.failing_sources(CODE) == 1
    assert queries.dataset(ANONYMOUS, DatasetRef(CODE, "aires")).summary.rows == 2
    assert [due(day) for day in (0, 1, 7, 30)] == [[], ["faux"], ["aires", "faux"], ["aires", "faux", "ventes"]]


def test_who_answers_is_told_once_that_a_source_fails(mirror: Path) -> None:
    asking.refresh_sources(CODE, ["faux"], at=AT)
    assert mail.outbox == [], "nobody was there to be told"
    make_person(Role.ADMINISTRATOR, territory=CODE, email="mairie@exemple.fr")
    for days in (1, 2):
        asking.refresh_sources(CODE, ["aires", "faux", "ventes"], at=AT + timedelta(days=days))
    (letter,) = mail.outbox
    assert letter.to == ["mairie@exemple.fr"]
    assert "« Faux »" in letter.body
    assert "PDF" in letter.body
    assert "https://a.example/f.csv" in letter.body
    # It answers again, then fails again: that is news.
    (mirror / "f.csv").write_text("nom,places\nGare,12\n")
    asking.refresh_sources(CODE, ["faux"], at=AT + timedelta(days=3))
    (mirror / "f.csv").write_bytes(b"%PDF-1.4 rien d'un tableau")
    asking.refresh_sources(CODE, ["faux"], at=AT + timedelta(days=4))
    assert len(mail.outbox) == 2


def test_what_has_not_changed_is_asked_and_left(mirror: Path) -> None:
    later = AT + timedelta(days=8)
    asking.refresh_sources(CODE, ["aires"], at=AT)
    asking.refresh_sources(CODE, ["aires"], at=later)
    assert (state("aires", later).asked_at, state("aires", later).came_at) == (later, AT)
    (mirror / "a.csv").write_text("nom,places\nGare,12\nStade,8\nHalle,4\n")
    asking.refresh_sources(CODE, ["aires"], at=later)
    assert state("aires", later).came_at == later


@pytest.mark.usefixtures("mirror")
def test_a_refresh_cut_short_goes_on_with_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = scheduled.note_asked

    def cut(*said: Any, **more: Any) -> None:
        noted(*said, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(scheduled, "note_asked", cut)
    with pytest.raises(KeyboardInterrupt):
        asking.refresh_sources(CODE, ["aires", "ventes"], at=AT)
    assert due(0) == ["faux", "ventes"]


@pytest.mark.usefixtures("mirror")
def test_the_worker_asks_each_night_and_nothing_where_nothing_was_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(type(tasks.refresh_sources), "enqueue", lambda _task, *said: asked.append(said))
    tasks.nightly_sources(AT)
    assert asked == [(CODE, ["aires", "faux", "ventes"])]
    asking.folder_of(CODE).rmdir()
    tasks.nightly_sources(AT)
    assert len(asked) == 1


@pytest.mark.usefixtures("mirror")
def test_the_page_shows_each_source_and_asks_one_again(signed_in: Callable[..., Client]) -> None:
    agent = signed_in(Role.AGENT)
    assert "tout est arrivé à son heure" in agent.get(PAGE).content.decode()
    asking.refresh_sources(CODE, ["aires", "faux"], at=AT)
    page = agent.get(PAGE).content.decode()
    for said in ("Sources qui n’ont pas répondu", "Aires", "Jamais demandée", "Échec", "Demander maintenant"):
        assert said in page
    assert "demandée de nouveau" in agent.post(f"{PAGE}ventes/", follow=True).content.decode()
    assert agent.post(f"{PAGE}inconnue/").status_code == 404
    assert signed_in().post(f"{PAGE}ventes/").status_code in (302, 403, 404)
