"""6-02: « SCDL deliberations imported, full-text search, PDF »."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.kernel.outside import InsideAddress, check_public
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.lake import papers
from beffroi.lake.definitions import definition_named, load_definitions, restricted
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.sense.places.directory import operations, queries
from beffroi.sense.places.directory.queries import Asked, directories_of

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
HOME = "/annuaires/6-02/"
ACT = f"{HOME}deliberations/2025-02-03/"
NS = {"atom": "http://www.w3.org/2005/Atom"}


def titles(client: Client, **asked: str) -> list[str]:
    return [line.sheet.title for line in client.get(HOME, asked).context["lines"]]


@pytest.mark.django_db
def test_acts_are_found_by_any_form_of_their_words_the_latest_first(directories_town: str, client: Client) -> None:
    budget, school = "Attribuer une subvention exceptionnelle aux écoles", "Subvention attribuée à l’école du Lavoir"
    assert titles(client) == [budget, "Dénomination d’une voie", school]
    for text in ("attribution SUBVENTIONS", "l’ecole", "d'écoles", "subventionner"):
        assert titles(client, q=text) == [budget, school]
    assert titles(client, q="« école du Lavoir »") == [school]
    assert titles(client, q="2025-02-03") == ["Dénomination d’une voie"]
    # What was typed is never an operator of the index.
    assert titles(client, q='NOT "*) OR title:(') == []
    assert titles(client, q="de la") == [budget, "Dénomination d’une voie", school]


@pytest.mark.django_db
def test_a_slip_of_the_finger_is_mended_and_said(directories_town: str, client: Client) -> None:
    answer = client.get(HOME, {"q": "subvantion"})
    assert len(answer.context["lines"]) == 2
    assert "voici ce qui répond à « subvention »" in answer.content.decode()


@pytest.mark.django_db
def test_facets_count_what_the_other_choices_keep(directories_town: str, client: Client) -> None:
    form = client.get(HOME, {"annee": "2025", "vote": "partage"}).context["asked"].form
    choices = {name: [str(words) for _value, words in form.fields[name].choices] for name in ("annee", "vote")}
    assert choices["annee"] == ["Tous", "2025 (1)"]
    assert choices["vote"] == ["Tous", "Vote non renseigné (1)", "Avec des voix contre ou des abstentions (1)"]
    assert titles(client, annee="2025", vote="partage") == ["Dénomination d’une voie"]


@pytest.mark.django_db
def test_the_text_of_the_signed_document_is_searched_and_the_document_opens(
    directories_town: str, signed_acts: Path, client: Client
) -> None:
    assert titles(client, q="lavandières") == []
    assert "nous n’en avons pas encore de copie" in client.get(ACT).content.decode()
    # One is a document; the other, a page that says it is gone, is none.
    assert operations.keep_deposited(directories_town, signed_acts).kept == 1
    (line,) = client.get(HOME, {"q": "riverains lavandieres"}).context["lines"]
    assert line.sheet.title == "Dénomination d’une voie"
    marked = [text for text, is_asked in line.extract.parts if is_asked]
    assert "riverains" in marked
    page = client.get(ACT).content.decode()
    assert "rue des Lavandières" in page
    paper = client.get(f"{ACT}document.pdf")
    assert (paper["Content-Type"], b"".join(paper.streaming_content)[:5]) == ("application/pdf", b"%PDF-")
    assert "sandbox" in paper["Content-Security-Policy"]
    assert client.get(f"{HOME}deliberations/2024-01-01/document.pdf").status_code == 404


@pytest.mark.django_db
def test_the_page_of_an_act_tells_its_vote_its_dates_and_its_receipt(directories_town: str, client: Client) -> None:
    page = re.sub(r"\s+", " ", client.get(ACT).content.decode())
    for said in ("lundi 10 février 2025", "034-2", "mercredi 12 février 2025", "Avec des voix contre", "27 votants",
                 "L. 2131-1", "https://bourg.example/2.pdf"):  # fmt: skip
        assert said in page
    untold = client.get(f"{HOME}deliberations/2025-02-04/")
    assert untold.context["vote"] is None
    assert client.get(f"{HOME}deliberations/2099-01-01/").status_code == 404
    assert client.get("/annuaires/1-14/").status_code == 404


@pytest.mark.django_db
def test_a_feed_follows_a_search(directories_town: str, signed_acts: Path, client: Client) -> None:
    operations.keep_deposited(directories_town, signed_acts)
    answer = client.get(f"{HOME}flux.atom", {"annee": "2025"})
    assert answer["Content-Type"].startswith("application/atom+xml")
    entries = ET.fromstring(answer.content).findall("atom:entry", NS)
    assert [one.findtext("atom:title", namespaces=NS) for one in entries] == titles(client, annee="2025")
    assert [link.get("type") for one in entries for link in one.findall("atom:link[@rel='enclosure']", NS)] == [
        "application/pdf"
    ]


@pytest.mark.django_db
def test_documents_are_fetched_politely_and_never_from_the_inside(
    directories_town: str, signed_acts: Path, tmp_path: Path
) -> None:
    ref = DatasetRef(directories_town, "deliberations")
    waits: list[float] = []
    mirror = signed_acts
    done = papers.fetch_papers(ref, "delib_url", at=AT, wait=waits.append, mirror=mirror)
    assert (done.kept, done.failed) == (1, 2)
    # What was had is not asked for again; what was not waits a day, then two.
    again = papers.fetch_papers(ref, "delib_url", at=AT + timedelta(hours=3), wait=waits.append, mirror=mirror)
    assert (again.kept, again.failed) == (0, 0)
    later = papers.fetch_papers(ref, "delib_url", at=AT + timedelta(days=1), wait=waits.append, mirror=mirror)
    assert later.failed == 2
    third = papers.fetch_papers(ref, "delib_url", at=AT + timedelta(days=2), wait=waits.append, mirror=mirror)
    assert third.failed == 0
    for inside in (
        "http://127.0.0.1/a.pdf", "http://[::1]/a.pdf", "http://10.0.0.1/a.pdf", "https://192.168.1.1/",
        "http://169.254.169.254/", "file:///etc/passwd", "https://moi:secret@1.1.1.1/", "http://1.1.1.1:8080/",
    ):  # fmt: skip
        with pytest.raises(InsideAddress):
            check_public(inside)
    check_public("https://1.1.1.1/a.pdf")


@pytest.mark.django_db
def test_who_may_not_read_the_data_finds_nothing_of_it(directories_town: str, client: Client, settings: Any) -> None:
    assert client.get(HOME).context["count"] == 3
    ref = DatasetRef(directories_town, "deliberations")
    source = Path(settings.LAKE_DIR).parent / "deliberations.csv"
    closed = restricted(definition_named("deliberations", "", load_definitions()[0]), "agents", {})
    import_source(source, territory=directories_town, slug=ref.slug, at=AT, definition=closed, lake=settings.LAKE_DIR)
    answer = client.get(HOME)
    assert (answer.context["count"], answer.context["lines"]) == (0, [])
    assert client.get(ACT).status_code == 404
    assert client.get(f"{HOME}carte.geojson").json()["features"] == []


@pytest.mark.django_db
def test_what_an_agent_corrects_is_found_at_once(directories_town: str) -> None:
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.lake.edits import CHANGED, Edit
    from beffroi.lake.operations import edit_feature

    (settings,) = [one for use_case, one in directories_of(directories_town) if use_case == "6-02"]

    def found(text: str) -> int:
        return queries.directory(ANONYMOUS, directories_town, "6-02", settings).found(Asked(text)).total

    assert (found("voie"), found("passerelle")) == (1, 0)
    agent = Viewer(None, (Grant(directories_town, Role.AGENT),))
    edit = Edit(CHANGED, "2025-02-03", {"delib_objet": "Dénomination d’une passerelle"})
    edit_feature(agent, DatasetRef(directories_town, "deliberations"), edit, at=AT)
    assert (found("voie"), found("passerelle")) == (0, 1)


@pytest.mark.django_db
def test_the_search_of_the_town_and_the_sheet_of_the_dataset_lead_to_it(
    directories_town: str, signed_acts: Path, client: Client
) -> None:
    operations.keep_deposited(directories_town, signed_acts)
    page = client.get("/recherche/", {"q": "lavandières"})
    assert [(one.title, one.count) for one in page.context["directories"]] == [("Délibérations et actes", 1)]
    sheet = client.get(f"/donnees/{directories_town}/deliberations/fiche/2025-02-03/")
    assert f'href="{ACT}"' in sheet.content.decode()
