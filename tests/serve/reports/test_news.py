"""What subscribers receive: confirmed first, grouped, never what is not public, ended in one gesture."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import CaseNotFound, Outcome, Requester
from beffroi.serve.reports import news, operations, subscriptions
from beffroi.serve.reports.abuse import MOST_ASKINGS_DEVICE, MOST_ASKINGS_NETWORK, TooMany, sender_of
from beffroi.serve.reports.models import News, Reader
from serve_makers import LON, agent_of, send, square
from territory_makers import AT, TOWN, make_person

pytestmark = pytest.mark.django_db
CLEANERS = agent_of("proprete")
READER = "lectrice@exemple.fr"


def _subscribe(email: str = READER, *, at: datetime = AT, **what: Any) -> subscriptions.SubscriptionInfo:
    made = operations.subscribe(territory=TOWN, requester=Requester(email=email), viewer=ANONYMOUS, at=at, **what)
    return operations.confirm_subscription(made.token, at=at)


def _delivered() -> None:
    while deliver_pending(1000):
        pass


def _due(hours: float = 0) -> list[mail.EmailMessage]:
    """The messages sent to the reader once what happened is heard, at an hour after `AT`."""
    _delivered()
    before = len(mail.outbox)
    for key in Reader.objects.order_by("pk").values_list("pk", flat=True):
        news.write_to(key, at=AT + timedelta(hours=hours))
    return [one for one in mail.outbox[before:] if one.to == [READER]]


def test_an_address_is_told_nothing_before_its_owner_confirms(town: str) -> None:
    ask = {"territory": TOWN, "requester": Requester(email=READER), "viewer": ANONYMOUS, "category": "tag-graffiti"}
    made = operations.subscribe(**ask, at=AT)
    operations.subscribe(**ask, at=AT + timedelta(minutes=5))
    _delivered()
    (letter,) = mail.outbox
    assert letter.to == [READER]
    assert made.token in letter.body
    assert "Tag ou graffiti" in letter.body
    send("tag-graffiti")
    assert _due() == []
    assert operations.confirm_subscription(made.token, at=AT).confirmed
    send("tag-graffiti")
    assert len(_due()) == 1
    # Never confirmed, it is forgotten with the address.
    operations.subscribe(**(ask | {"requester": Requester(email="autre@exemple.fr")}), at=AT)
    news.plan_forgotten(AT + timedelta(days=8))
    assert list(Reader.objects.values_list("email", flat=True)) == [READER]


def test_news_are_grouped_one_message_an_hour_at_most(town: str) -> None:
    _subscribe(street="rue du Four")
    first = send("depot-sauvage", address="3 rue du Four")
    (letter,) = _due()
    assert first.number in letter.body
    assert "Nouveaux signalements" in letter.body
    assert "Un matelas" not in letter.body
    cases.accept_case(number=first.number, by=CLEANERS, at=AT + timedelta(minutes=10))
    second = send("nid-de-poule", address="5 rue du Four", hours=0.2)
    operations.close_report(
        number=first.number, outcome=Outcome.DONE, reason="Enlevé.", by=CLEANERS, at=AT + timedelta(minutes=30)
    )
    send("depot-sauvage", address="3 rue de la Loge", hours=0.5)
    assert _due(0.9) == []
    (letter,) = _due(1)
    assert letter.subject == "Signalements à Montpellier : 2 nouvelles"
    new, changed = letter.body.split("Ce qui a changé")
    assert second.number in new
    assert f"({first.number})" in changed
    assert "Enlevé." in changed
    assert _due(3) == []
    assert not News.objects.exists()


def test_once_a_day_is_at_six_in_the_evening(town: str) -> None:
    _subscribe(category="depot-sauvage", rhythm="day")
    send()
    send(hours=1)
    _delivered()
    (due,) = Reader.objects.values_list("due_at", flat=True)
    assert due.astimezone(ZoneInfo("Europe/Paris")).isoformat() == "2026-03-02T18:00:00+01:00"
    assert _due(7.9) == []
    (letter,) = _due(8)
    assert "2 nouvelles" in letter.subject


def test_what_is_not_public_when_it_leaves_is_not_told(town: str) -> None:
    _subscribe(zone=square())
    send("squat")
    gone = send("depot-sauvage").number
    kept = send("nid-de-poule").number
    _delivered()
    operations.reclassify_report(
        number=gone, category="squat", by=agent_of("proprete", "habitat"), at=AT + timedelta(minutes=1)
    )
    (letter,) = _due()
    assert kept in letter.body
    assert gone not in letter.body
    assert "quat" not in letter.body.replace("zone", "")


def test_one_report_is_followed_to_its_end_even_merged(town: str) -> None:
    mine, lead = send("depot-sauvage").number, send("depot-sauvage").number
    _delivered()
    _subscribe(report=mine)
    send("depot-sauvage")
    assert _due() == []
    operations.merge_reports(number=mine, into=lead, by=CLEANERS, at=AT)
    assert mine in _due()[0].body
    operations.close_report(number=lead, outcome=Outcome.DONE, reason="Enlevé.", by=CLEANERS, at=AT)
    assert "Enlevé." in _due(2)[0].body
    for number in (send("squat").number, "AAA-0000"):
        with pytest.raises(CaseNotFound):
            _subscribe(report=number)


def test_every_message_ends_by_itself_and_the_end_is_the_end(town: str) -> None:
    one = _subscribe(category="depot-sauvage")
    _subscribe(zone=square(LON))
    send()
    (letter,) = _due()
    headers = letter.extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = re.fullmatch(r"<https?://[^/]+/abonnements/([^/]+)/fin/>", headers["List-Unsubscribe"])[1]
    reader = subscriptions.reader(token)
    assert (reader.email, len(subscriptions.subscriptions_of(reader))) == (READER, 2)
    send()
    _delivered()
    operations.end_subscription(one.token, at=AT)
    assert not News.objects.exists()
    operations.end_all_subscriptions(token, at=AT)
    operations.end_all_subscriptions(token, at=AT)
    send()
    assert _due(2) == []
    with pytest.raises(subscriptions.SubscriptionNotFound):
        subscriptions.reader(token[:-1] + ("0" if token[-1] != "0" else "1"))


def test_a_server_of_mail_that_is_away_loses_nothing(town: str, settings: Any) -> None:
    _subscribe(category="depot-sauvage")
    number = send().number
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    _delivered_but_confirmation()
    assert not news.write_to(Reader.objects.get().pk, at=AT)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert _due(0.1) == []
    assert number in _due(0.3)[0].body


def _delivered_but_confirmation() -> None:
    from beffroi.base.journal.events import RecordedEvent
    from beffroi.base.journal.models import Event

    for row in Event.objects.filter(kind="case.opened").order_by("pk"):
        news.gather(RecordedEvent(row.pk, row.at, row.kind, row.subject, row.territory, None, None, row.payload))


def test_rhythm_is_changed_by_its_owner_only(town: str) -> None:
    _subscribe(category="depot-sauvage")
    stranger = {"territory": TOWN, "requester": Requester(email=READER), "viewer": ANONYMOUS, "at": AT}
    operations.subscribe(**stranger, category="tag-graffiti", rhythm="day")
    row = Reader.objects.get()
    assert row.rhythm == "hour"
    token = subscriptions.reader_info(row).token
    assert operations.subscribe(**stranger, category="tag-graffiti", rhythm="day", token=token).confirmed
    operations.set_rhythm(token, "hour", at=AT)
    assert Reader.objects.get().rhythm == "hour"
    with pytest.raises(Exception, match="rythme"):
        operations.set_rhythm(token, "minute", at=AT)


def test_one_does_not_learn_from_us_what_one_did(town: str) -> None:
    person = make_person(email=READER)
    operations.subscribe(territory=TOWN, requester=Requester(), viewer=Viewer(person), at=AT, category="depot-sauvage")
    send(viewer=Viewer(person), requester=Requester(person))
    assert [one for one in _due() if "Nouveaux signalements" in one.body] == []


def test_strangers_may_not_enrol_addresses_by_the_dozen(town: str) -> None:
    number = send().number

    def follow(device: str, address: str, count: int) -> None:
        for _ in range(count):
            operations.follow_report(
                number=number, requester=Requester(email="victime@exemple.fr"), viewer=ANONYMOUS, at=AT,
                sender=sender_of(device=device, address=address, at=AT),
            )  # fmt: skip

    follow("a", "192.0.2.1", MOST_ASKINGS_DEVICE - 1)
    sender = sender_of(device="a", address="192.0.2.9", at=AT)
    operations.subscribe(
        territory=TOWN, requester=Requester(email=READER), viewer=ANONYMOUS, at=AT, report=number, sender=sender
    )
    with pytest.raises(TooMany):
        follow("a", "192.0.2.1", 1)
    follow("", "192.0.2.1", MOST_ASKINGS_NETWORK - MOST_ASKINGS_DEVICE + 1)
    with pytest.raises(TooMany):
        follow("b", "192.0.2.1", 1)
    person = make_person()
    operations.follow_report(
        number=number, requester=Requester(person), viewer=Viewer(person), at=AT,
        sender=sender_of(device="a", address="192.0.2.1", at=AT),
    )  # fmt: skip


def test_an_end_is_told_a_month_before_and_renewed_in_one_press(town: str, settings: Any) -> None:
    kept, late = _subscribe(category="depot-sauvage"), _subscribe(category="tag-graffiti", at=AT + timedelta(days=90))
    assert news.warn_of_ends(AT + timedelta(days=690)) == 0
    soon = AT + timedelta(days=705)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert news.warn_of_ends(soon) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert news.warn_of_ends(soon + timedelta(days=1)) == 1
    assert news.warn_of_ends(soon + timedelta(days=2)) == 0
    letter = mail.outbox[-1]
    token = subscriptions.reader_of(kept).token
    assert (letter.to, token in letter.body) == ([READER], True)
    assert "Dépôt sauvage" in letter.body
    assert "Tag" not in letter.body
    assert operations.renew_subscriptions(token, at=soon) == 2
    renewed = {one.id: one.ends_at for one in subscriptions.subscriptions_of(subscriptions.reader(token))}
    assert renewed == {kept.id: soon + subscriptions.LIFE, late.id: soon + subscriptions.LIFE}
    assert news.warn_of_ends(soon + timedelta(days=3)) == 0


def test_the_end_that_is_told_is_the_one_that_privacy_says() -> None:
    retention = subscriptions.Subscription.privacy.retention
    assert (retention.amount, retention.unit) == (2, "year")
    assert timedelta(days=730) == subscriptions.LIFE
