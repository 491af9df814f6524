"""G-12, « an agent or mandated helper files for a person without account or phone, mandate and actor logged, receipt
printed, same file followed online later, every public page prints » (the last is in test_accessible_pages)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.catalogue.definition import State
from beffroi.base.journal import queries as journal
from beffroi.base.territory.viewer import Role
from beffroi.serve.reports import queries
from faces.portal.reports.test_filing import HERE, HOLE, SEND, shown, walk
from faces.portal.small_town import AT
from territory_makers import administrator

pytestmark = pytest.mark.django_db
PAGE, FORM = "/accueil-accompagne/", "/signaler/?pour=autrui"


@pytest.fixture
def counter(reporting_town: str) -> str:
    catalogue.set_state("G-12", State.LIVE, territory=reporting_town, by=None, at=AT, reason="essai")
    return reporting_town


def test_it_is_found_and_its_page_leads_each_to_where_she_files(
    counter: str, client: Client, signed_in: Callable[..., Client]
) -> None:
    assert "/signaler/G-12/" in client.get("/services/G-12/").content.decode()
    assert client.get("/signaler/G-12/")["Location"] == PAGE
    assert "/compte/login/?next=/signaler/%3Fpour=autrui" in client.get(PAGE).content.decode()
    assert FORM in signed_in(Role.RESIDENT).get(PAGE).content.decode()
    assert "/agent/accueil/" in signed_in(Role.AGENT).get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("role", "mandate"),
    [
        (Role.AGENT, {"mandate": "phone"}),
        (Role.RESIDENT, {"mandate": "postman", "reference": "Carnet de tournée du 3 mars"}),
    ],
)
def test_what_is_filed_for_somebody_is_logged_printed_and_followed(
    role: Role, mandate: dict[str, str], counter: str, signed_in: Callable[..., Client]
) -> None:
    helper: Any = signed_in(role)
    sent = walk(
        helper, HERE, HOLE, {"description": "Un trou."}, {"name": "Lucienne Morel"} | mandate | SEND, address=FORM
    )
    token = sent["Location"].split("/")[2]
    info, party = queries.followed_report(token)
    person = int(helper.session["_auth_user_id"])
    event = next(one for one in journal.all_events(administrator(counter)) if one.subject == f"case:{info.number}")
    assert (event.actor, event.payload["mandate"]) == (person, mandate["mandate"])
    assert (party.name, party.filed_by, party.mandate_reference) == (
        "Lucienne Morel",
        person,
        mandate.get("reference", ""),
    )
    receipt = Client().get(f"/suivi/{token}/recu/")
    assert info.number in shown(receipt)
    assert f"/suivi/{token}/" in receipt.content.decode()
    # Months later, on a neighbour's computer.
    assert Client().post(f"/suivi/{token}/", {"do": "write", "text": "Toujours là."}).status_code == 302
    assert "Toujours là." in shown(Client().get(f"/suivi/{token}/"))
