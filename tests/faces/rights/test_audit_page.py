"""The audit page: administrators of the town only, filtered, paged, exported, and with its retry button."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse

from beffroi.base.journal import events, operations, queries
from beffroi.base.journal.models import Delivery, Event
from beffroi.base.territory.viewer import Role
from faces.rights.conftest import signed_in
from territory_makers import AT, OTHER_TOWN, TOWN, make_person, make_town


def happened(kind: str = "tree.planted", subject: str = "tree:1", **options: object) -> int:
    fields = {"payload": {}, "territory": TOWN, "at": AT} | options
    return operations.record(kind=kind, subject=subject, **fields)


def subjects(response) -> list[str]:
    return [line.event.subject for line in response.context["lines"]]


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.AGENT, Role.ELECTED])
def test_the_journal_is_for_administrators(role):
    client = signed_in(make_person(role))
    assert client.get("/agent/journal/").status_code == 403
    assert client.get("/agent/journal/export.csv").status_code == 403


def test_an_administrator_does_not_read_the_journal_of_another_town(auditor):
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    happened(subject="tree:here")
    there = happened(subject="tree:there", territory=OTHER_TOWN)
    nowhere = happened(subject="tree:nowhere", territory="")
    seen = set(subjects(auditor.get("/agent/journal/")))
    assert "tree:here" in seen
    assert seen.isdisjoint({"tree:there", "tree:nowhere"})
    viewer = auditor.get("/agent/journal/").wsgi_request.viewer
    for hidden in (there, nowhere):
        with pytest.raises(queries.EventNotFound):
            queries.event(viewer, hidden)


def test_whoever_administers_every_town_reads_what_has_no_town(auditor):
    happened(subject="tree:nowhere", territory="")
    assert "tree:nowhere" in subjects(auditor.get("/agent/journal/"))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": "tree.felled"}, ["tree:2"]),
        ({"subject": "tree:3"}, ["tree:3"]),
        ({"person": "claude.personne@exemple.fr"}, ["tree:3"]),
        ({"since": "2026-03-04", "until": "2026-03-04"}, ["tree:4"]),
    ],
)
def test_the_journal_is_filtered(auditor, resident, asked, found):
    happened(kind="tree.felled", subject="tree:2")
    happened(subject="tree:3", on_behalf_of=resident)
    happened(subject="tree:4", at=AT + timedelta(days=2))
    happened(subject="tree:5", at=AT + timedelta(days=3))
    shown = [subject for subject in subjects(auditor.get("/agent/journal/", asked)) if subject.startswith("tree:")]
    assert shown == found


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "inconnu"},
        {"person": "personne@nulle.part"},
        {"since": "hier"},
        {"since": "2026-03-02", "until": "2026-03-01"},
        {"subject": "x" * 300},
    ],
)
def test_a_filter_that_does_not_read_is_told(auditor, asked):
    response = auditor.get("/agent/journal/", asked)
    assert response.status_code == 400
    assert "data-error-summary" in response.content.decode()
    assert auditor.get("/agent/journal/export.csv", asked).status_code == 400


@pytest.mark.parametrize(
    "asked",
    [
        {"avant": "9" * 40},
        {"avant": "٣"},
        {"person": "9" * 15},
        {"person": "-3"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"until": "0001-01-01"},
    ],
)
def test_odd_values_are_answered(auditor, asked):
    assert auditor.get("/agent/journal/", asked).status_code == 200


def test_pages_follow_each_other_without_a_gap(auditor):
    for number in range(queries.PAGE + 7):
        happened(subject=f"tree:{number}", kind="tree.counted")
    first = auditor.get("/agent/journal/", {"kind": "tree.counted"})
    second = auditor.get(first.context["next"])
    assert subjects(first) + subjects(second) == [f"tree:{n}" for n in reversed(range(queries.PAGE + 7))]
    assert second.context["next"] == ""
    few = auditor.get("/agent/journal/", {"kind": "tree.counted", "lignes": "20"})
    assert (subjects(few), "lignes=20" in few.context["next"]) == (subjects(first)[:20], True)
    printed = auditor.get("/agent/journal/", {"kind": "tree.counted", "impression": "1"})
    assert len(subjects(printed)) == queries.PAGE + 7


def test_the_page_costs_the_same_whatever_the_number_of_events(auditor, django_assert_max_num_queries):
    for number in range(40):
        happened(subject=f"tree:{number}", actor=number + 1)
    with django_assert_max_num_queries(20):
        auditor.get("/agent/journal/")


def test_the_export_reads_in_a_spreadsheet_and_runs_no_formula(auditor):
    happened(subject="=HYPERLINK(1)", payload={"espèce": "orme"})
    content = b"".join(auditor.get("/agent/journal/export.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content), delimiter=";"))
    assert rows[0]["objet"] == "'=HYPERLINK(1)"
    assert rows[0]["details"] == '{"espèce": "orme"}'
    assert rows[0]["date"] == "2026-03-02T10:00:00+01:00"


def test_names_of_residents_stay_numbers_and_erased_persons_are_said(auditor, resident, administrator):
    happened(subject="tree:1", actor=resident)
    happened(subject="tree:2", actor=-4)
    happened(subject="tree:3", actor=administrator)
    happened(subject="tree:4")
    lines = {line.event.subject: line.who for line in auditor.get("/agent/journal/").context["lines"]}
    assert lines["tree:1"] == f"personne n° {resident}"
    assert lines["tree:2"] == "personne effacée n° 4"
    assert lines["tree:3"] == "Camille Durand"
    assert lines["tree:4"] == "le système"


@pytest.fixture
def dead():
    """A delivery that was given up."""
    events.subscribe("tests.broken", ["tree.planted"], lambda event: None)
    happened()
    events.unsubscribe("tests.broken")
    Delivery.objects.update(state=Delivery.DEAD, attempts=32, last_error="OSError: disque plein")
    return Delivery.objects.get()


def test_a_dead_delivery_is_shown_and_retried(auditor, dead, administrator):
    page = auditor.get("/agent/journal/").content.decode()
    assert "OSError: disque plein" in page
    assert "Réessayer" in page
    assert auditor.post(reverse("backoffice:journal-retry", args=[dead.pk])).status_code == 302
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == (Delivery.PENDING, 0)
    assert Event.objects.get(kind="delivery.retried").actor == administrator


def test_a_dead_delivery_is_given_up_after_a_question(auditor, dead):
    address = reverse("backoffice:journal-skip", args=[dead.pk])
    assert "ne sera jamais remis" in auditor.get(address).content.decode()
    assert Delivery.objects.exists()
    auditor.post(address)
    assert not Delivery.objects.exists()
    assert auditor.get(address).status_code == 404
    assert auditor.post(reverse("backoffice:journal-retry", args=[dead.pk])).status_code == 404


def test_a_delivery_of_another_town_is_out_of_reach(auditor, dead):
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    elsewhere = signed_in(make_person(Role.ADMINISTRATOR, territory=OTHER_TOWN))
    address = reverse("backoffice:journal-retry", args=[dead.pk])
    assert elsewhere.post(address).status_code in (403, 404)
    assert Delivery.objects.get().state == Delivery.DEAD


def test_the_page_warns_when_no_worker_lives(auditor):
    assert "Aucun travailleur ne tourne" in auditor.get("/agent/journal/").content.decode()
