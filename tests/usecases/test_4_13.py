"""4-13: « appointments with a public adviser, by visit, phone or video, checklist of papers for the tax return »."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from beffroi.serve.bookings.definition import BadBooking, TooMany
from faces.portal.reports.test_filing import shown
from usecases.slots_town import agent_client, book, free, letters, link_of

PAGE = "/creneaux/4-13/"
SUBJECT = {"details": {"sujet": "impots"}}


@pytest.fixture
def town(slots_town: Callable[..., str]) -> str:
    return slots_town("4-13")


@pytest.mark.parametrize(
    ("mode", "told"), [("visit", "Sur place"), ("phone", "Par téléphone"), ("video", "En visioconférence")]
)
def test_an_appointment_is_by_visit_phone_or_video_with_its_papers(
    town: str, client: Client, mode: str, told: str
) -> None:
    time = free("4-13", "conseillere-numerique")[0]
    assert (time.ends - time.starts).seconds == 45 * 60
    form = client.get(f"{PAGE}reserver/", link_of(time))
    assert told in shown(form)
    asked = link_of(time) | {
        "mode": mode, "d_sujet": "impots", "name": "Camille", "email": "camille@exemple.fr", "phone": "",
        "key": "une-cle-d-envoi",
    }  # fmt: skip
    assert client.post(f"{PAGE}reserver/", asked | {"mode": ""}).status_code == 400
    sent = client.post(f"{PAGE}reserver/", asked)
    assert sent.status_code == 302
    page = shown(client.get(sent["Location"]))
    assert told in page
    assert "numéro fiscal" in page
    (letter,) = letters()
    assert "- Un relevé d’identité bancaire" in letter
    assert told in letter
    listed = agent_client("solidarites").get("/agent/creneaux/4-13/", {"jour": time.starts.date().isoformat()})
    assert told in shown(listed)
    assert "Ma déclaration d’impôts" in shown(listed)


def test_one_appointment_at_a_time_and_none_on_a_holiday(town: str) -> None:
    first, second = free("4-13", "conseillere-numerique")[:2]
    book("4-13", "camille@exemple.fr", first, mode="phone", **SUBJECT)
    with pytest.raises(TooMany):
        book("4-13", "camille@exemple.fr", second, mode="phone", **SUBJECT)
    with pytest.raises(BadBooking, match="comment se tient"):
        book("4-13", "claude@exemple.fr", second, mode="fax", **SUBJECT)
    assert {one.starts.weekday() for one in free("4-13", "conseillere-numerique")} <= {0, 1, 3, 4}
