"""What leaves and when: once, whatever dies; not before it may; not to one who sleeps, has left, or need not know."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail

from alert_makers import follow
from beffroi.base.journal import queries as journal
from beffroi.base.kernel.errors import Refused
from beffroi.base.kernel.time import now
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.serve.alerts import audience, following, issuing, operations, queries
from beffroi.serve.alerts.audience import FOLLOWER, WISH
from beffroi.serve.alerts.definition import BadAlert, Content, FollowerNotFound, TooLate, TooMany
from beffroi.serve.alerts.models import Delivery, Issue, Wish
from beffroi.serve.cases.definition import BadCase
from beffroi.serve.cases.tokens import token_of
from serve_makers import square
from territory_makers import TOWN, administrator, make_person

pytestmark = pytest.mark.django_db
GRACE = timedelta(seconds=31)


def agent() -> Viewer:
    return Viewer(make_person(Role.AGENT), (Grant(TOWN, Role.AGENT),))


def content(**changes: Any) -> Content:
    usual: dict[str, Any] = {"title": "Bruit", "text": "Un chantier.", "topic": "travaux-gene", "severity": "Minor",
                             "area": "zone", "zone": square(), "until": now() + timedelta(days=1)}  # fmt: skip
    return Content(**usual | changes)


def sent(viewer: Viewer, **changes: Any) -> int:
    number = operations.write_alert(viewer, TOWN, content(**changes), at=now())
    operations.send_alert(viewer, number, at=now())
    issuing.turn(now() + GRACE)
    return number


def delivered(at: datetime) -> list[str]:
    before = len(mail.outbox)
    for key in Issue.objects.order_by("pk").values_list("pk", flat=True):
        issuing.deliver_issue(key, at=at)
    return sorted(one.to[0] for one in mail.outbox[before:])


def test_nothing_leaves_before_half_a_minute_and_may_be_taken_back(alert_town: str) -> None:
    me, to = agent(), follow(alert_town, "camille", zone=square())
    number = operations.write_alert(me, alert_town, content(), at=now())
    at = now()
    operations.send_alert(me, number, at=at)
    issuing.turn(at + timedelta(seconds=29))
    assert Issue.objects.count() == 0
    operations.take_back(me, number, at=at)
    issuing.turn(at + GRACE)
    assert Issue.objects.count() == 0
    operations.send_alert(me, number, at=at)
    issuing.turn(at + GRACE)
    issuing.turn(at + GRACE)
    assert delivered(at + GRACE) == [to]
    with pytest.raises(TooLate):
        operations.take_back(me, number, at=at + GRACE)
    kinds = [one.kind for one in journal.all_events(administrator()) if one.subject == f"alert:{number}"]
    assert kinds[::-1] == ["alert.written", "alert.planned", "alert.taken_back", "alert.planned", "alert.sent"]


def test_a_worker_that_dies_leaves_rows_and_the_next_one_sends_each_once(
    alert_town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [follow(alert_town, f"personne{number}", zone=square()) for number in range(4)]
    sent(agent())
    (made,) = Issue.objects.all()
    line, count = issuing._Line.send, []

    def dies(self: Any, one: Delivery, at: datetime) -> None:
        count.append(one.pk)
        if len(count) == 5:
            raise SystemExit("killed")
        line(self, one, at)

    monkeypatch.setattr(issuing._Line, "send", dies)
    at = now() + GRACE
    with pytest.raises(SystemExit):
        issuing.deliver_issue(made.pk, at=at)
    monkeypatch.undo()
    first = [one.to[0] for one in mail.outbox if one.subject.startswith("Alerte")]
    assert 0 < len(first) < len(told)
    # Its lease holds off another worker until it has run out.
    made.refresh_from_db()
    assert made.lease_until > at
    delivered(at + timedelta(minutes=6))
    letters = [one for one in mail.outbox if one.subject.startswith("Alerte")]
    assert sorted(one.to[0] for one in letters) == sorted(told)
    assert len({one.extra_headers["Message-ID"] for one in letters}) == len(told)


def test_a_deaf_mail_server_is_tried_again_and_nobody_is_forgotten(
    alert_town: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [follow(alert_town, f"personne{number}", zone=square()) for number in range(5)]
    sent(agent())
    at = now() + GRACE
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 9,
    )  # fmt: skip
    assert delivered(at) == []
    settings.EMAIL_BACKEND = backend
    assert delivered(at + timedelta(minutes=16)) == told
    assert Delivery.objects.filter(done_at=None).count() == 0


def test_a_second_person_agrees_to_what_is_grave_or_for_everybody(alert_town: str) -> None:
    me, other = agent(), agent()
    for changes in ({"severity": "Severe"}, {"area": "town", "zone": ""}):
        number = operations.write_alert(me, alert_town, content(**changes), at=now())
        assert operations.send_alert(me, number, at=now()) == "waiting"
        with pytest.raises(Refused):
            operations.approve_alert(me, number, at=now())
        assert queries.waiting_count(other, alert_town) == 1
        assert queries.waiting_count(me, alert_town) == 0
        operations.approve_alert(other, number, at=now())
        issuing.turn(now() + GRACE)
        assert queries.sent_alert(alert_town, number).rank == 1


@pytest.mark.parametrize("viewer", [ANONYMOUS, Viewer(1, (Grant(TOWN, Role.RESIDENT),)), Viewer(1, (), frozenset())])
def test_only_agents_write(alert_town: str, viewer: Viewer) -> None:
    with pytest.raises(Refused):
        operations.write_alert(viewer, alert_town, content(), at=now())


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"topic": "inconnu"}, "topic"),
        ({"title": ""}, "title"),
        ({"text": "<b>gras</b>"}, "text"),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, "until"),
        ({"until": datetime(2999, 1, 1, tzinfo=UTC)}, "until"),
        ({"zone": "{}"}, "zone"),
        ({"area": "district", "zone": ""}, "districts"),
        ({"area": "street", "zone": "", "streets": ("rue de nulle part",)}, "streets"),
        ({"title_en": "Noise"}, "text_en"),
        ({"severity": "Terrible"}, "severity"),
    ],
)
def test_what_does_not_hold_is_refused_and_named(alert_town: str, changes: dict[str, Any], where: str) -> None:
    with pytest.raises((BadAlert, BadCase)) as refused:
        operations.write_alert(agent(), alert_town, content(**changes), at=now())
    assert refused.value.where == where


def test_silence_holds_until_its_end_except_for_what_is_extreme(alert_town: str) -> None:
    night = (time(22), time(7))
    late = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
    minor, extreme = content(until=late + timedelta(days=1)), content(severity="Extreme")
    held = audience.held_until(night, alert_town, minor, late)
    assert held == datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    assert audience.held_until(night, alert_town, minor, held) == held
    assert audience.held_until(night, alert_town, extreme, late) == late
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert audience.held_until(night, alert_town, minor, noon) == noon
    assert audience.held_until((time(12), time(14)), alert_town, minor, noon) == datetime(2026, 3, 2, 13, tzinfo=UTC)


def test_what_ended_before_it_could_be_sent_is_not(alert_town: str) -> None:
    follow(alert_town, "camille", zone=square())
    me = agent()
    number = sent(me)
    operations.end_alert(me, number, at=now() + GRACE)
    assert delivered(now() + GRACE) == [], "neither the alert nor its end: she had heard of nothing"


def test_an_update_reaches_those_told_before_and_those_it_now_concerns(alert_town: str) -> None:
    before = follow(alert_town, "avant", zone=square())
    me = agent()
    number = sent(me)
    assert delivered(now() + GRACE) == [before]
    far = follow(alert_town, "loin", zone=square(lon=3.90))
    operations.change_alert(me, number, content(zone=square(lon=3.90)), at=now())
    operations.send_alert(me, number, at=now())
    issuing.turn(now() + GRACE)
    assert delivered(now() + GRACE) == sorted([before, far])
    assert [kind for _rank, kind, _at, _content in queries.issues(number)] == ["alert", "update"]


def test_two_districts_that_touch_are_not_the_same(alert_town: str) -> None:
    here = follow(alert_town, "ici", district="ici")
    follow(alert_town, "ailleurs", district="ailleurs")
    people = audience.own_followers(alert_town, content(area="zone", zone=district_of(alert_town, "ici")))
    assert [one.email for one in people] == [here]


def district_of(town: str, slug: str) -> str:
    import shapely

    from beffroi.base.territory import queries as territories

    (found,) = [one for one in territories.zones(town, "quartier") if one.slug == slug]
    return str(shapely.to_geojson(shapely.from_wkb(found.shape)))


# --- Followers --------------------------------------------------------------------------------------------------------


def test_an_address_is_told_once_its_owner_has_said_so_and_no_more_once_she_leaves(alert_town: str) -> None:
    follow(alert_town, "camille", zone=square(), sure=False)
    (wish,) = Wish.objects.all()
    assert audience.own_followers(alert_town, content()) == []
    made = operations.confirm_wish(token_of(WISH, wish.pk), at=now())
    assert len(audience.own_followers(alert_town, content())) == 1
    # A stranger who gives her address adds nothing that she has not confirmed.
    follow(alert_town, "camille", district="ici", sure=False)
    assert [one.confirmed for one in following.follower(made.token).wishes] == [True, False]
    operations.end_following(made.token, at=now())
    operations.end_following(made.token, at=now())
    with pytest.raises(FollowerNotFound):
        following.follower(made.token)


@pytest.mark.parametrize("token", ["", "1.0", "x", token_of(WISH, 1)])
def test_no_other_token_opens_a_follower(alert_town: str, token: str) -> None:
    follow(alert_town, "camille", zone=square())
    with pytest.raises(FollowerNotFound):
        following.follower(token)
    assert token_of(FOLLOWER, 1) != token_of(WISH, 1)


def test_too_many_from_one_place_are_refused(alert_town: str) -> None:
    asked: dict[str, Any] = {"wanted": following.Wanted("district", "ici"), "network": "192.0.2.1", "sure": False}
    for number in range(following.MOST_FROM_ONE_PLACE):
        follow(alert_town, f"personne{number}", **asked)
    with pytest.raises(TooMany):
        follow(alert_town, "de-trop", **asked)
