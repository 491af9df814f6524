"""Notifications: read by the device alone, signed for its relay, tried again, forgotten with the device."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.kernel.errors import Refused
from beffroi.base.privacy import operations as privacy
from beffroi.base.territory.viewer import ANONYMOUS, Viewer
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases.definition import BadCase, CaseNotFound, Outcome, Requester
from beffroi.serve.cases.models import PushDevice, PushMessage
from beffroi.serve.cases.push import devices, protocol, telling
from beffroi.serve.cases.push.devices import DeviceNotFound, Subscription
from push_relay import Device, Relay, packed, relay, said, unpacked
from serve_makers import agent_of, send
from territory_makers import AT, TOWN, make_person

CLEANERS = agent_of("proprete")


@pytest.fixture
def there(settings: Any, tmp_path: Path) -> Iterator[Relay]:
    settings.WEBHOOK_PRIVATE, settings.PUSH_KEY = True, tmp_path / "push.key"
    with relay() as server:
        yield server


def _subscription(device: Device, relay: Relay, name: str = "a") -> Subscription:
    told = device.subscription(f"{relay.origin}/{name}")
    return Subscription(told["endpoint"], **told["keys"])


def _follow(
    device: Device, relay: Relay, token: str = "", *, name: str = "a", viewer: Viewer = ANONYMOUS, **more: Any
) -> str:
    asked = _subscription(device, relay, name)
    devices.subscribe_device(territory=TOWN, subscription=asked, viewer=viewer, token=token, at=AT, **more)
    return asked.endpoint


def _heard() -> None:
    while deliver_pending(1000):
        pass


def _sent(hours: float = 0) -> None:
    """Have the journal heard, then what is due at that hour after now sent."""
    _heard()
    last = PushMessage.objects.order_by("-created_at").first()
    for key in PushMessage.objects.order_by("pk").values_list("pk", flat=True):
        telling.send(key, at=last.created_at + timedelta(hours=hours))


def test_the_message_of_the_standard_is_written_to_the_byte() -> None:
    """RFC 8291, section 5 and appendix A: the same keys and salt give the same body."""
    own = ec.derive_private_key(
        int.from_bytes(unpacked("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    body = protocol.encrypted(
        b"When I grow up, I want to be a watermelon",
        to="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        secret="BTBZMqHH6r4Tts7J_aSIgg",
        own=own,
        salt=unpacked("DGv6ra1nlYgDCS1FRnbzlw"),
        padded_to=1,
    )
    assert packed(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
        "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_lengths_say_nothing_and_what_is_too_long_is_refused() -> None:
    device = Device()
    to = {"to": packed(device.public), "secret": packed(device.secret)}

    def body(plain: bytes) -> bytes:
        own, salt = protocol.new_message_key()
        return protocol.encrypted(plain, own=own, salt=salt, **to)

    assert len(body(b"")) == len(body(b"x" * 255)) < len(body(b"x" * 256))
    assert len(body(b"x" * protocol.MOST_PLAIN)) <= 4096
    assert device.read(body(b"x" * protocol.MOST_PLAIN)) == b"x" * protocol.MOST_PLAIN
    with pytest.raises(ValueError, match="at most"):
        body(b"x" * (protocol.MOST_PLAIN + 1))


def test_one_key_is_drawn_however_many_ask_for_it(tmp_path: Path) -> None:
    path = tmp_path / "here" / "push.key"
    with ThreadPoolExecutor(8) as pool:
        drawn = {protocol.point(one.public_key()) for one in pool.map(protocol.installation_key, [path] * 16)}
    assert len(drawn) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["push.key"]


@pytest.mark.django_db
def test_what_happens_to_a_request_reaches_the_device_that_follows_it_and_it_alone(town: str, there: Relay) -> None:
    device, opened = Device(), send(requester=Requester(language="en"))
    _follow(device, there, opened.token)
    send()
    cases.accept_case(number=opened.number, text="Adresse : 3 rue des Lilas", by=CLEANERS, at=AT)
    _sent()
    (one,) = there.heard
    told = said(device, one)
    assert told["title"] == f"Votre demande {opened.number}"
    assert told["body"] == "Un agent l’a prise en charge."
    assert told["path"] == f"/suivi/{opened.token}/"
    # The relay reads nothing of it, and another device no more than the relay.
    assert opened.number.encode() not in one.body
    assert opened.number not in str(one.headers)
    with pytest.raises(InvalidTag):
        Device(secret=device.secret).read(one.body)
    signer = there.signer(one)
    assert signer["key"] == devices.application_key()
    assert signer["sub"].startswith("https://")
    assert one.headers["Content-Encoding"] == "aes128gcm"
    # Delivered: heard again, it is not sent again, and its words are gone.
    _sent(48)
    assert len(there.heard) == 1
    assert PushMessage.objects.get().words == {}


@pytest.mark.django_db
def test_every_step_has_its_sentence_and_none_quotes_what_was_written(town: str, there: Relay) -> None:
    device, opened = Device(), send()
    _follow(device, there, opened.token)
    number = opened.number
    cases.write_to_parties(number=number, text="Confidentiel", by=CLEANERS, at=AT, ask=True)
    cases.write_to_parties(number=number, text="Confidentiel", by=CLEANERS, at=AT)
    cases.schedule_case(number=number, day=AT.date() + timedelta(days=3), by=CLEANERS, at=AT, text="Confidentiel")
    cases.close_case(number=number, outcome=Outcome.DONE, reason="Confidentiel", by=CLEANERS, at=AT)
    cases.reopen_case(number=number, reason="Confidentiel", viewer=CLEANERS, at=AT, token="")
    _sent()
    assert [said(device, one)["body"] for one in there.heard] == [
        "Le service vous pose une question.",
        "Le service vous a écrit.",
        "Une intervention est prévue le 5 mars 2026.",
        "Elle est close : Réglé.",
        "Elle est rouverte.",
    ]
    # One name per request for the relay: the last news takes the place of those it still holds.
    assert len({one.headers["Topic"] for one in there.heard}) == 1


@pytest.mark.django_db
def test_a_person_hears_of_all_her_requests_in_her_language_and_not_of_what_she_does(town: str, there: Relay) -> None:
    person, device = make_person(), Device()
    her = Viewer(person)
    _follow(device, there, viewer=her, language="en")
    first, second = (send(viewer=her, requester=Requester(person=person)) for _ in range(2))
    cases.write_to_service(number=first.number, text="Toujours là.", viewer=her, at=AT)
    for one in (first, second):
        cases.accept_case(number=one.number, by=CLEANERS, at=AT)
    _sent()
    assert {said(device, one)["tag"] for one in there.heard} == {first.number, second.number}
    assert said(device, there.heard[0])["lang"] == "en"
    # Another person on the same device: nothing of the first one's any more.
    _follow(device, there, viewer=Viewer(make_person()))
    cases.close_case(number=first.number, outcome=Outcome.DONE, reason="Fait", by=CLEANERS, at=AT)
    _sent()
    assert len(there.heard) == 2


@pytest.mark.django_db
def test_a_confidential_request_is_told_only_where_it_was_asked_for(town: str, there: Relay) -> None:
    person, device = make_person(), Device()
    opened = send("squat", viewer=Viewer(person), requester=Requester(person=person))
    _follow(device, there, viewer=Viewer(person))
    police = agent_of("police-municipale", "habitat", "proprete", "voirie")
    cases.accept_case(number=opened.number, by=police, at=AT)
    _heard()
    assert PushMessage.objects.count() == 0, "others may see this screen"
    _follow(device, there, opened.token)
    cases.write_to_parties(number=opened.number, text="Bonjour", by=police, at=AT)
    _sent()
    assert [said(device, one)["body"] for one in there.heard] == ["Le service vous a écrit."]


@pytest.mark.django_db
def test_a_relay_that_fails_is_tried_again_later_and_later_then_given_up(town: str, there: Relay) -> None:
    device, opened = Device(), send()
    _follow(device, there, opened.token)
    cases.accept_case(number=opened.number, by=CLEANERS, at=AT)
    there.status = 503
    _sent()
    _sent(0.001)
    assert len(there.heard) == 1, "not before its time"
    _sent(0.1)
    assert len(there.heard) == 2
    there.status = 201
    _sent(3)
    assert len(there.heard) == 3
    assert said(device, there.heard[0]) == said(device, there.heard[2])
    cases.close_case(number=opened.number, outcome=Outcome.DONE, reason="Fait", by=CLEANERS, at=AT)
    there.status = 500
    _sent(30)
    _sent(60)
    assert len(there.heard) == 4
    assert PushDevice.objects.get().failures == 1


@pytest.mark.django_db
@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(status: int, town: str, there: Relay) -> None:
    opened = send()
    endpoint = _follow(Device(), there, opened.token)
    cases.accept_case(number=opened.number, by=CLEANERS, at=AT)
    there.status = status
    _sent()
    with pytest.raises(DeviceNotFound):
        devices.device(endpoint)
    assert PushMessage.objects.count() == 0


@pytest.mark.django_db
def test_a_device_stops_one_thing_or_everything_and_moves(town: str, there: Relay) -> None:
    device, first, second = Device(), send(), send()
    endpoint = _follow(device, there, first.token)
    _follow(device, there, second.token)
    wishes = devices.device(endpoint).wishes
    assert [one.number for one in wishes] == [first.number, second.number]
    left = devices.end_wish(endpoint, wishes[0].id, at=AT)
    assert left is not None
    assert [one.number for one in left.wishes] == [second.number]
    moved = _subscription(device, there, "b")
    devices.renew_device(endpoint, moved, at=AT)
    cases.accept_case(number=second.number, by=CLEANERS, at=AT)
    _sent()
    assert [one.path for one in there.heard] == ["/b"]
    assert devices.end_wish(moved.endpoint, wishes[1].id, at=AT) is None
    with pytest.raises(DeviceNotFound):
        devices.end_device(moved.endpoint, at=AT)


@pytest.mark.django_db
def test_too_many_devices_make_the_oldest_give_way(town: str, there: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST_PER_PARTY", 2)
    opened = send()
    for name in "abc":
        _follow(Device(), there, opened.token, name=name)
    assert [one.endpoint[-1] for one in PushDevice.objects.order_by("pk")] == ["b", "c"]


@pytest.mark.django_db
def test_what_is_no_subscription_is_refused(town: str, there: Relay, settings: Any) -> None:
    opened, good = send(), _subscription(Device(), there)
    ask = {"territory": TOWN, "viewer": ANONYMOUS, "at": AT}
    for wrong in (
        Subscription(good.endpoint, "QUJD", good.auth),
        Subscription(good.endpoint, good.p256dh, "QUJD"),
        Subscription(good.endpoint, "é", good.auth),
        Subscription(good.endpoint + "x" * 1000, good.p256dh, good.auth),
    ):
        with pytest.raises(BadCase):
            devices.subscribe_device(subscription=wrong, token=opened.token, **ask)
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(BadCase):
        devices.subscribe_device(subscription=good, token=opened.token, **ask)
    settings.WEBHOOK_PRIVATE = True
    with pytest.raises(CaseNotFound):
        devices.subscribe_device(subscription=good, token="1.faux", **ask)
    with pytest.raises(Refused):
        devices.subscribe_device(subscription=good, **ask)
    settings.PUSH = False
    assert devices.application_key() == ""
    with pytest.raises(Refused):
        devices.subscribe_device(subscription=good, token=opened.token, **ask)


@pytest.mark.django_db
def test_erasure_and_retention_end_it(town: str, there: Relay) -> None:
    person = make_person()
    _follow(Device(), there, viewer=Viewer(person))
    opened = send()
    _follow(Device(), there, opened.token, name="b")
    privacy.erase_person(person, None, at=AT)
    assert [one.endpoint[-1] for one in PushDevice.objects.all()] == ["b"]
    privacy.run_retention(AT + timedelta(days=367))
    assert PushDevice.objects.count() == 0
