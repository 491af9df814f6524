"""4-10, rounds of outreach: « rounds over reported needs, notes encrypted »."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.test import Client
from django.utils import timezone

from beffroi.base.journal.models import Event
from beffroi.base.privacy import operations as privacy
from beffroi.base.privacy import sealing
from beffroi.base.territory import operations as territory
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.sense.mobility.models import Need, Passage, Round
from beffroi.sense.mobility.rounds import needs, operations, passages, queries
from beffroi.sense.mobility.rounds.needs import NeedNotFound
from beffroi.sense.mobility.rounds.plan import Site
from beffroi.serve.cases.definition import Status
from beffroi.serve.reports import queries as reports
from beffroi.serve.reports.snapshot import take_snapshot
from desk_makers import sign_in_agent
from sense.mobility.town_graph import place_graph
from serve_makers import AT, LAT, LON, make_open_town, send
from territory_makers import TOWN, make_person

# D is where the team leaves; C is urgent, beyond B; A may wait.
DRAWING = """
D----B----C
|
A
"""
HOME = "/agent/maraudes/4-10/"
# What nobody but the service may read, wherever it is kept or told.
PLACE, WORDS, NOTE = "Porche de la halle", "Un homme avec un chien noir", "Accepte une soupe, veut revoir Samira"
SECRETS = (PLACE, WORDS, NOTE)

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> dict[str, tuple[float, float]]:
    settings.STRONG_AUTH, settings.DATA_DIR, settings.NOTES_KEY = False, tmp_path, tmp_path / "notes.key"
    settings.LAKE_DIR = tmp_path / "lake"
    make_open_town(use_cases=("1-01", "4-10"))
    territory.add_service(territory=TOWN, slug="solidarites", name="Solidarités", at=AT)
    return place_graph(TOWN, drawing=DRAWING, ways={}, at=(LON, LAT))


def text_of(page: Any) -> str:
    plain = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def address(name: str, label: str, place: tuple[float, float]) -> dict[str, str]:
    return {name: label, f"{name}_label": label, f"{name}_lon": f"{place[0]}", f"{name}_lat": f"{place[1]}"}


def note_call(client: Client, place: tuple[float, float], *, urgency: int = 0, **more: str) -> None:
    sent = client.post(
        f"{HOME}besoins/nouveau/", {**address("place", PLACE, place), "urgency": urgency, "words": WORDS} | more
    )
    assert sent.status_code == 302, text_of(sent)


def drawn(client: Client, places: dict[str, tuple[float, float]], **changes: Any) -> int:
    """Draw tonight's round by the form, over every need shown, compute it as a worker does; return its number."""
    page = client.get(f"{HOME}preparer/")
    wanted = page.context["form"].fields["wanted"].initial
    sent = {
        "title": "Maraude", "team": "Équipe", "by": "a-pied", "day": f"{timezone.localdate():%Y-%m-%d}",
        "leaves": "22:00", "ends": "01:30", "minutes": "10", "wanted": wanted,
        **address("depot", "CCAS", places["D"]),
    } | changes  # fmt: skip
    answer = client.post(f"{HOME}preparer/", sent)
    assert answer.status_code == 302, text_of(answer)[:3000]
    number = int(answer.url.rstrip("/").split("/")[-1])
    operations.compute_now(number, at=timezone.now())
    return number


def sheet(number: int) -> str:
    return f"/agent/maraudes/tournee/{number}/"


def kept_rows() -> Iterator[str]:
    """Every value of every row of the registry, as text."""
    for model in apps.get_models():
        for row in model._default_manager.order_by("pk").values_list():
            yield from (
                bytes(one).decode("latin-1") if isinstance(one, bytes | memoryview) else str(one) for one in row
            )


def test_from_the_call_to_the_night_and_its_note(places: dict[str, tuple[float, float]]) -> None:
    client, me = sign_in_agent("solidarites")
    opened = send(
        "personne-a-la-rue", lon=places["A"][0], lat=places["A"][1], description="Assis près du kiosque.",
        address="3 rue du Kiosque", details={"urgence": "0"},
    )  # fmt: skip
    note_call(client, places["C"], urgency=2)
    note_call(client, places["B"], urgency=0, usual="on")
    home = text_of(client.get(HOME))
    assert home.index(PLACE) < home.index("3 rue du Kiosque"), "the urgent one first"
    number = drawn(client, places)
    found = queries.round_sheet(me, TOWN, number)
    (timeline,) = found.timelines
    order = [found.stops[line.stop].source for line in timeline.lines if line.kind == "stop"]
    assert order[-1] == f"report:{opened.number}", "who may wait is seen after who is in distress"
    assert timeline.lines[-1].leave_s > 22 * 3600
    page = client.get(sheet(number))
    told = text_of(page)
    assert "Prochain arrêt" in told
    assert WORDS in told
    # Taken along for the evening, on this device alone.
    assert page["X-Beffroi-Keep"] == "day"
    call = found.timelines[0].lines[order.index(next(one for one in order if one.startswith("need:"))) + 1]
    received = [
        client.post(f"{sheet(number)}envoi/{line.stop}/", {
            "outcome": "vu", "note": NOTE, "done_at": (timezone.now() - timedelta(hours=3)).isoformat(),
        })
        for line in timeline.lines for _twice in range(2) if line.kind == "stop"
    ]  # fmt: skip
    assert {one.status_code for one in received} == {201}, received[0].content
    assert Passage.objects.count() == len(order), "said twice, kept once"
    # The call and the report are met; the usual place stays one.
    assert [one.usual for one in needs.needs(me, TOWN, "4-10")] == [True]
    assert reports.report(me, opened.number).case.status is Status.CLOSED
    assert call.stop in found.stops
    (usual,) = Need.objects.filter(usual=True)
    history = text_of(client.get(f"{HOME}besoins/{usual.pk}/"))
    assert "Personne vue" in history
    assert NOTE in history
    assert "Prochain arrêt" not in text_of(client.get(sheet(number)))


def test_nothing_written_is_kept_in_clear_or_told_elsewhere(
    places: dict[str, tuple[float, float]], tmp_path: Path
) -> None:
    client, me = sign_in_agent("solidarites")
    note_call(client, places["C"], urgency=2)
    number = drawn(client, places)
    client.post(f"{sheet(number)}passage/", {"stop": "1", "outcome": "appel-115", "note": NOTE})
    act = f"/agent/tournees/{number}/geste/"
    client.post(act, {"geste": "deplacer", "vehicule": "Équipe", "rang": 0, "vers": "out"})
    lon, lat = places["C"]
    clear = "\n".join(kept_rows())
    for secret in (*SECRETS, f"{lon:.6f}"[:-1], f"{lat:.6f}"[:-1]):
        assert secret not in clear, secret
        assert json.dumps(secret)[1:-1] not in clear, secret
    payloads = " ".join(json.dumps(one) for one in Event.objects.order_by("pk").values_list("payload", flat=True))
    assert '"vehicle"' not in payloads
    assert "Maraude" not in payloads
    assert not mail.outbox
    assert NOTE in text_of(client.get(f"{HOME}besoins/{Need.objects.get().pk}/")), "its service reads it"
    # The key is a file beside the registry, private, that a backup takes.
    assert (tmp_path / "notes.key").stat().st_mode & 0o777 == 0o600
    assert me.person_id


# What everyone may ask of the town without an account: none of it may tell where somebody sleeps.
PUBLIC = (
    "/", "/carte/", "/signalements/", "/recherche/?q=halle", "/recherche/?q=kiosque", "/feeds/signalements.atom",
    "/open311/v2/requests.json", "/open311/v2/services.json", "/api/catalogue", "/api/reports", "/ogc/collections",
    "/dcat.jsonld", "/plan-du-site/", "/travaux/", "/obstacles/", "/registre-des-traitements/",
)  # fmt: skip


def test_where_somebody_sleeps_is_on_no_public_page_feed_tile_nor_interface(
    places: dict[str, tuple[float, float]], tmp_path: Path
) -> None:
    client, _me = sign_in_agent("solidarites")
    lon, lat = places["A"]
    opened = send("personne-a-la-rue", lon=lon, lat=lat, description="Assis près du kiosque.", address="Kiosque vert")
    note_call(client, places["C"], urgency=2)
    number = drawn(client, places)
    client.post(f"{sheet(number)}passage/", {"stop": "1", "outcome": "absent", "note": NOTE})
    seen = send("depot-sauvage")
    take_snapshot(TOWN, at=timezone.now())
    told = []
    for path in PUBLIC:
        answer = Client().get(path, follow=True)
        assert answer.status_code in (200, 404), path
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        told.append(body.decode(errors="replace"))
    # Tiles, downloads and the index of search are files; the graph of the streets, which knows their ends, is older.
    told += [
        one.read_bytes().decode("latin-1")
        for one in tmp_path.rglob("*")
        if one.is_file() and one.suffix != ".key" and "mobility" not in one.parts
    ]
    for secret in (*SECRETS, "kiosque.", "Kiosque vert", opened.number, f"{lat:.5f}", f"{places['C'][0]:.5f}"):
        assert not [place for place, text in enumerate(told) if secret in text], secret
    assert [place for place, text in enumerate(told) if seen.number in text], "what is public is found by this scan"
    assert client.get("/agent/tournees/carte.json").json()["features"] == []
    public = reports.reports(ANONYMOUS, TOWN, at=timezone.now()).items
    assert [one.number for one in public] == [seen.number]


def test_another_service_an_official_and_a_stranger_read_nothing(places: dict[str, tuple[float, float]]) -> None:
    client, _me = sign_in_agent("solidarites")
    note_call(client, places["C"])
    number = drawn(client, places)
    need = Need.objects.get().pk
    other, her = sign_in_agent("voirie", email="voirie@example.org")
    for path in (HOME, f"{HOME}besoins/{need}/", f"{HOME}preparer/", sheet(number), f"/agent/tournees/{number}/"):
        assert other.get(path).status_code == 404, path
    assert other.post(f"{sheet(number)}envoi/1/", {"outcome": "vu"}).status_code == 404
    assert PLACE not in text_of(other.get("/agent/tournees/")) + text_of(other.get("/agent/"))
    assert "Maraudes : itinéraires et passages" in text_of(client.get("/agent/"))
    with pytest.raises(NeedNotFound):
        needs.need(_me, TOWN, "4-10", need + 1)
    assert her.person_id


def test_a_lost_key_is_a_sentence_and_new_notes_are_kept(
    places: dict[str, tuple[float, float]], tmp_path: Path
) -> None:
    client, me = sign_in_agent("solidarites")
    note_call(client, places["C"])
    number = drawn(client, places)
    client.post(f"{sheet(number)}passage/", {"stop": "1", "outcome": "absent", "note": NOTE})
    kept = (tmp_path / "notes.key").rename(tmp_path / "aside")
    need = Need.objects.get().pk
    for page in (client.get(HOME), client.get(f"{HOME}besoins/{need}/")):
        assert page.status_code == 200
        assert "remettez le fichier notes.key d’une sauvegarde" in text_of(page)
    for path in (sheet(number), f"/agent/tournees/{number}/"):
        page = client.get(path)
        assert page.status_code == 409
        assert "remettez-le depuis une sauvegarde" in text_of(page)
    assert client.post(f"{sheet(number)}envoi/1/", {"outcome": "vu"}).status_code == 409
    assert "Aucun besoin en attente" in text_of(client.get(f"{HOME}preparer/"))
    (tmp_path / "notes.key").write_text("pas une clé\n")
    refused = client.post(f"{HOME}besoins/nouveau/", {**address("place", PLACE, places["B"]), "urgency": 1})
    assert refused.status_code == 400
    assert PLACE in refused.content.decode(), "nothing typed is lost"
    # Without the file a new key is drawn: what comes is kept, what was waits for its own.
    (tmp_path / "notes.key").unlink()
    note_call(client, places["B"])
    assert sorted(one.place is None for one in needs.needs(me, TOWN, "4-10")) == [False, True]
    assert sealing.unreadable() == 3
    # Put back before the other, both open; then the keys are turned.
    with (tmp_path / "notes.key").open("a") as handle:
        handle.write(kept.read_text())
    assert sealing.unreadable() == 0
    before = list(Need.objects.order_by("pk").values_list("sealed", flat=True))
    old = (tmp_path / "notes.key").read_text().split()
    assert sealing.turn_keys() == 4
    now = (tmp_path / "notes.key").read_text().split()
    assert (now[1], len(now)) == (old[0], 2)
    assert now[0] not in old
    assert not set(before) & set(Need.objects.values_list("sealed", flat=True))
    (tmp_path / "notes.key").write_text(now[0])
    assert sealing.unreadable() == 0, "the new key alone opens everything"


def test_notes_places_and_rounds_are_erased_in_time_and_figures_stay(places: dict[str, tuple[float, float]]) -> None:
    client, me = sign_in_agent("solidarites")
    note_call(client, places["C"], usual="on")
    number = drawn(client, places)
    client.post(f"{sheet(number)}passage/", {"stop": "1", "outcome": "absent", "note": NOTE})
    collection = Round.objects.create(territory=TOWN, service="proprete", title="Verre", day=timezone.localdate(),
                                      plan={}, stops=[], created_at=timezone.now())  # fmt: skip
    assert {one.label: one.rows for one in privacy.run_retention(timezone.now()) if one.rows} == {}
    late = timezone.now() + timedelta(days=100)
    ended = {one.label: one.rows for one in privacy.run_retention(late) if one.label.startswith("mobility.")}
    assert ended == {"mobility.Need": 1, "mobility.Passage": 1, "mobility.Round": 1}
    assert list(Round.objects.values_list("pk", flat=True)) == [collection.pk]
    (kept,) = Passage.objects.all()
    assert (kept.sealed_note, kept.source, kept.outcome, kept.round_number) == ("", "", "absent", number)
    assert needs.needs(me, TOWN, "4-10") == []


def test_a_round_deleted_by_hand_takes_its_notes_along(places: dict[str, tuple[float, float]]) -> None:
    client, _me = sign_in_agent("solidarites")
    note_call(client, places["C"])
    number = drawn(client, places)
    client.post(f"{sheet(number)}passage/", {"stop": "1", "outcome": "absent", "note": NOTE})
    gone = client.post(f"/agent/tournees/{number}/geste/", {"geste": "supprimer"})
    assert gone.url == HOME
    assert list(Passage.objects.values_list("sealed_note", "source")) == [("", "")]


def test_figures_go_by_whole_bricks_and_never_hold_a_note_nor_a_place(places: dict[str, tuple[float, float]]) -> None:
    client, me = sign_in_agent("solidarites")
    month = timezone.localtime().replace(day=15, hour=21) - timedelta(days=40)
    rows = [("vu", "halles")] * 11 + [("absent", "halles")] * 10 + [("vu", "gare")] * 3
    Passage.objects.bulk_create(
        Passage(territory=TOWN, use_case="4-10", round_number=1 + rank % 2, source=f"need:{rank}", outcome=outcome,
                sealed_note=sealing.seal(NOTE), district=district, at=month)
        for rank, (outcome, district) in enumerate(rows)
    )  # fmt: skip
    # The month under way is not counted yet.
    Passage.objects.create(territory=TOWN, use_case="4-10", round_number=9, source="x", outcome="vu",
                           district="halles", at=timezone.now())  # fmt: skip
    (told,) = passages.figures(me, TOWN, at=timezone.now())
    key = f"{month:%Y-%m}"
    assert told.rounds == {key: 2}
    assert told.by_month == {key: {"vu": 11}}, "ten and three are in no figure, not even in the sum"
    assert told.by_district == {"halles": {"vu": 11}}
    make_person(Role.ELECTED, territory=TOWN, email="elue@example.org")
    text = text_of(client.get("/agent/maraudes/chiffres/"))
    assert " 11 " in text
    assert NOTE not in text
    assert Client().get("/agent/maraudes/chiffres/").status_code == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"wanted": []}, "Choisissez au moins un besoin"),
        ({"depot": "", "depot_lon": "", "depot_lat": "", "depot_label": ""}, "Ce champ est obligatoire"),
        ({"minutes": "0"}, "supérieure ou égale à 1"),
        ({"leaves": "midi"}, "heure valide"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    places: dict[str, tuple[float, float]], changes: dict[str, Any], said: str
) -> None:
    client, _me = sign_in_agent("solidarites")
    needs.note_need(_me, TOWN, "4-10", place=Site(name=PLACE, lon=places["B"][0], lat=places["B"][1]), words="",
                    urgency=1, usual=False, at=timezone.now())  # fmt: skip
    sent = {"title": "M", "team": "É", "by": "velo", "day": "2026-03-02", "leaves": "20:00", "ends": "23:00",
            "minutes": "5", "wanted": [f"need:{Need.objects.get().pk}"],
            **address("depot", "CCAS", places["D"])}  # fmt: skip
    page = client.post(f"{HOME}preparer/", sent | changes)
    assert page.status_code == 400
    assert said in text_of(page)
