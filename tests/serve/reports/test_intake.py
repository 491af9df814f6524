"""From the pavement to the registry: checked whole, kept once, routed, dated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from beffroi.base.journal import queries as journal
from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import ANONYMOUS, Role, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import (
    AlreadySent,
    Audience,
    BadCase,
    CaseNotFound,
    Mandate,
    MandateKind,
    Requester,
    Status,
    Upload,
)
from beffroi.serve.reports import abuse, queries
from beffroi.serve.reports.categories import UnknownCategory
from beffroi.serve.reports.intake import Submission, file_report
from serve_makers import LAT, LON, agent_of, make_open_town, photo, send, square
from territory_makers import AT, TOWN, administrator, make_key, make_person

pytestmark = pytest.mark.django_db


def test_a_report_is_numbered_routed_dated_and_followed_without_account(town: str) -> None:
    opened = send("depot-sauvage", photos=(photo(),), address="12 bis rue du Four, Montpellier")
    info, party = queries.followed_report(opened.token)
    assert info.number == opened.number
    assert (info.case.service, info.case.status, info.use_case) == ("proprete", Status.RECEIVED, "1-01")
    assert info.case.due_at == AT + timedelta(hours=48)
    assert (info.street, info.label) == ("rue du Four", "Dépôt sauvage ou encombrants abandonnés")
    assert len(info.photos) == 1
    assert party.made_it
    assert info.case.description == "Un matelas sur le trottoir."


def test_the_journal_tells_it_without_words_nor_persons(town: str) -> None:
    opened = send(requester=Requester(name="Camille", email="camille@exemple.fr", phone="06 12 34 56 78"))
    (event,) = [one for one in journal.events(administrator()).events if one.subject == f"case:{opened.number}"]
    assert event.kind == "case.opened"
    assert event.payload == {
        "number": opened.number, "case_kind": "report", "category": "depot-sauvage", "service": "proprete",
        "access": "public", "held": False, "mandate": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "told", "values"),
    [
        ("position", "globe", {"lon": 200.0}),
        ("position", "globe", {"lat": float("nan")}),
        ("position", "hors de la commune", {"lon": 2.35, "lat": 48.85}),
        ("description", "HTML", {"description": "<script>alert(1)</script>"}),
        ("description", "contrôle", {"description": "a\0b"}),
        ("description", "4000", {"description": "x" * 4001}),
        ("couleur", "ne demande pas", {"details": {"couleur": "bleu"}}),
        ("photo", "lisible", {"photos": (Upload("x.jpg", b"\xff\xd8\xff"),)}),
        ("photo", "5 au plus", {"photos": (photo(),) * 6}),
        ("feature", "objet", {"dataset": "arbres", "feature": "12"}),
        ("idempotency_key", "illisible", {"idempotency_key": "court"}),
        ("address", "HTML", {"address": "<b>ici</b>"}),
    ],
)
def test_what_cannot_be_kept_is_told_field_by_field(town: str, field: str, told: str, values: dict) -> None:
    with pytest.raises(BadCase) as error:
        send(**values)
    assert error.value.where == field
    assert told in str(error.value)
    assert queries.public_reports(TOWN, at=AT).total == 0


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({}, "il manque une réponse"),
        ({"jours": "douze"}, "nombre entier"),
        ({"jours": -1}, "au moins 0"),
        ({"jours": "9" * 30}, "nombre entier"),
    ],
)
def test_the_questions_of_a_category_are_asked(town: str, details: dict, told: str) -> None:
    with pytest.raises(BadCase, match=told):
        send("voiture-ventouse", details=details)


def test_an_unknown_object_is_refused(town: str) -> None:
    with pytest.raises(BeffroiError) as error:
        send("corbeille-pleine", feature="999")
    assert error.value.http_status == 404


def test_a_category_that_no_open_use_case_carries_takes_nothing(town: str) -> None:
    with pytest.raises(UnknownCategory):
        send("licorne")
    make_open_town("34057", "Castelnau-le-Lez", use_cases=("1-02",))
    with pytest.raises(UnknownCategory):
        send("depot-sauvage", town="34057")


def test_the_same_sending_is_one_report_with_the_same_token(town: str) -> None:
    first = send(idempotency_key="cle-d-envoi-1", photos=(photo(),))
    again = send(idempotency_key="cle-d-envoi-1", photos=(photo(),), hours=5)
    assert (again.number, again.token, again.created) == (first.number, first.token, False)
    assert queries.public_reports(TOWN, at=AT).total == 1
    with pytest.raises(AlreadySent, match=first.number):
        send("nid-de-poule", idempotency_key="cle-d-envoi-1")


def test_of_two_sendings_at_the_same_instant_the_second_finds_the_first(
    town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send(idempotency_key="meme-instant")
    # The first question is put before the other sending is committed: it finds nothing.
    answers = iter([lambda *_, **__: None, cases.already_sent])
    monkeypatch.setattr(cases, "already_sent", lambda *args, **named: next(answers)(*args, **named))
    again = send(idempotency_key="meme-instant")
    assert (again.number, again.token, again.created) == (first.number, first.token, False)


def test_a_drawn_zone_gives_the_place(town: str) -> None:
    opened = send("insalubrite", zone=square(LON + 0.01), details={"desordres": "eau"})
    info, _ = queries.followed_report(opened.token)
    assert info.lon == pytest.approx(LON + 0.01, abs=0.0005)
    assert '"Polygon"' in info.zone


def test_filing_for_somebody_else_is_journaled_and_followed_by_both(town: str) -> None:
    helper, helped = make_person(Role.AGENT, services=("voirie",)), make_person()
    viewer = agent_of("voirie", person=helper)
    mandate = cases.mandate_of(viewer, TOWN, MandateKind.COUNTER)
    opened = file_report(
        territory=TOWN,
        submission=Submission("depot-sauvage", LON, LAT),
        requester=Requester(person=helped, name="Jeanne Martin"),
        viewer=viewer,
        at=AT,
        mandate=mandate,
    )
    (event,) = [one for one in journal.events(administrator()).events if one.kind == "case.opened"]
    assert (event.actor, event.on_behalf_of, event.payload["mandate"]) == (helper, helped, "counter")
    for person in (helper, helped):
        ((info, party),) = queries.own_reports(Viewer(person))
        assert (info.number, party.filed_by, party.mandate) == (opened.number, helper, "counter")


@pytest.mark.parametrize(
    ("viewer", "kind"),
    [
        (ANONYMOUS, MandateKind.RELATIVE),
        (Viewer(1), MandateKind.COUNTER),
        (agent_of("voirie", town="34057", person=1), MandateKind.PHONE),
    ],
)
def test_nobody_takes_the_part_of_an_agent(town: str, viewer: Viewer, kind: MandateKind) -> None:
    with pytest.raises(BeffroiError):
        cases.mandate_of(viewer, TOWN, kind)


def test_a_relative_needs_a_written_mandate_and_a_name(town: str) -> None:
    person = make_person()
    for mandate, requester in (
        (Mandate(MandateKind.RELATIVE, person), Requester(name="Jeanne")),
        (Mandate(MandateKind.RELATIVE, person, "mandat du 3 mars"), Requester()),
        (Mandate(MandateKind.RELATIVE, person, "mandat du 3 mars"), Requester(person=person)),
    ):
        with pytest.raises(BadCase):
            file_report(
                territory=TOWN,
                submission=Submission("depot-sauvage", LON, LAT),
                requester=requester,
                viewer=Viewer(person),
                at=AT,
                mandate=mandate,
            )


# --- Abuse ------------------------------------------------------------------------------------------------------------


def _flood(
    count: int, *, device: str = "telephone", viewer: Viewer = ANONYMOUS, proof: str = "", text: str = ""
) -> list[str]:
    sender = abuse.sender_of(device=device, address="192.0.2.7", at=AT)
    return [
        file_report(
            territory=TOWN,
            submission=Submission("megots-dechets", LON, LAT, description=text or f"Mégots n° {number}"),
            requester=Requester(),
            viewer=viewer,
            at=AT,
            sender=sender,
            proof=proof,
        ).number
        for number in range(count)
    ]


def test_a_flood_first_costs_work_then_stops(town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abuse, "PROOF_BITS", 4)
    monkeypatch.setattr(abuse, "MOST_DEVICE", 7)
    _flood(5)
    with pytest.raises(abuse.ProofNeeded) as asked:
        _flood(1)
    proof = abuse.solved(abuse.new_challenge(at=AT, bits=4))
    assert asked.value.challenge.count(".") == 3
    _flood(1, proof=proof)
    with pytest.raises(abuse.ProofNeeded):
        _flood(1, proof=proof)
    _flood(1, proof=abuse.solved(abuse.new_challenge(at=AT, bits=4)))
    with pytest.raises(abuse.TooMany, match="heure"):
        _flood(1, proof=abuse.solved(abuse.new_challenge(at=AT, bits=4)))
    _flood(1, device="un autre")


@pytest.mark.parametrize("spoilt", ["", "x", "1.4.0000000000000000." + "0" * 32 + ":1"])
def test_a_false_proof_is_none(town: str, spoilt: str) -> None:
    with pytest.raises(abuse.ProofNeeded):
        abuse.spend_proof(spoilt, at=AT)


def test_an_old_proof_is_none(town: str) -> None:
    proof = abuse.solved(abuse.new_challenge(at=AT, bits=2))
    with pytest.raises(abuse.ProofNeeded):
        abuse.spend_proof(proof, at=AT + abuse.PROOF_LIFE + timedelta(seconds=2))


def test_those_who_sign_in_or_hold_a_key_are_not_limited(town: str) -> None:
    _flood(20, viewer=Viewer(make_person()))
    from beffroi.base.territory.queries import viewer_of_key

    _flood(20, viewer=viewer_of_key(make_key("reports:write"), at=AT))


def test_repeated_words_links_and_known_abuse_are_held_for_a_look(town: str) -> None:
    agent = agent_of("proprete")
    numbers = _flood(4, text="Achetez mes beaux tapis volants à prix cassé")
    assert [queries.report(agent, one).case.status for one in numbers] == [Status.RECEIVED] * 3 + [Status.HELD]
    (linked,) = _flood(1, device="b", text="Voyez http://a.exemple et http://b.exemple")
    with pytest.raises(CaseNotFound):
        queries.report(ANONYMOUS, linked)
    assert queries.report(agent, linked).case.status is Status.HELD
    assert linked not in {one.number for one in queries.public_reports(TOWN, at=AT).items}


def test_no_address_is_kept(town: str) -> None:
    _flood(1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM reports_origin")
        assert "192.0.2" not in str(cursor.fetchall())
    assert abuse.sender_of(device="x", address="1", at=AT) != abuse.sender_of(
        device="x", address="1", at=AT + timedelta(days=40)
    )


def test_a_photo_belongs_to_its_report_until_it_is_published(town: str) -> None:
    opened = send(photos=(photo(colour="navy"),))
    info, _ = queries.followed_report(opened.token)
    (key,) = info.photos
    assert queries.report(ANONYMOUS, opened.number).photos == ()
    with pytest.raises(CaseNotFound):
        case_queries.attachment(ANONYMOUS, key)
    assert case_queries.attachment(ANONYMOUS, key, token=opened.token).path.is_file()
    cases.accept_case(number=opened.number, by=agent_of("proprete"), at=AT)
    small = case_queries.attachment(ANONYMOUS, key, thumbnail=True)
    assert small.public
    assert small.media_type == "image/jpeg"
    assert case_queries.attachments(ANONYMOUS, opened.number)[0].audience is Audience.PUBLIC
