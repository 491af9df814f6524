"""Filing for somebody without account or telephone: by what right, both names kept, a receipt to hand over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from beffroi.base.journal import queries as journal
from beffroi.base.territory.viewer import Role
from beffroi.serve.reports import queries
from faces.portal.reports.test_filing import HERE, HOLE, SEND, shown, walk
from territory_makers import administrator

pytestmark = pytest.mark.django_db
ADDRESS = "/signaler/?pour=autrui"
SAID = {"description": "Un trou."}
LUCIENNE = {"mandate": "counter", "name": "Lucienne Morel", "phone": "04 00 00 00 00"}


def test_an_agent_files_at_the_counter_and_hands_over_a_receipt(
    reporting_town: str, signed_in: Callable[..., Client]
) -> None:
    agent = signed_in(Role.AGENT)
    answer = walk(agent, HERE, HOLE, SAID, LUCIENNE | SEND, address=ADDRESS)
    assert answer.status_code == 302
    token = answer["Location"].split("/")[2]
    info, party = queries.followed_report(token)
    assert (party.name, party.phone, party.person, party.mandate) == (
        "Lucienne Morel",
        "04 00 00 00 00",
        None,
        "counter",
    )
    opened = next(one for one in journal.all_events(administrator(reporting_town)) if one.kind == "case.opened")
    assert opened.actor == party.filed_by
    # She follows the same file from the link printed on her receipt, with no account.
    stranger = Client()
    assert info.number in stranger.get(f"/suivi/{token}/recu/").content.decode()
    assert stranger.get(f"/suivi/{token}/").status_code == 200
    listed = agent.get("/agent/accueil/").content.decode()
    assert "Lucienne Morel" in listed
    assert f"/suivi/{token}/recu/" in listed


def test_a_relative_says_where_the_mandate_is_kept(reporting_town: str, signed_in: Callable[..., Client]) -> None:
    relative = signed_in(Role.RESIDENT)
    given = LUCIENNE | {"mandate": "relative"}
    without = walk(relative, HERE, HOLE, SAID, given | SEND, address=ADDRESS)
    assert "la référence du mandat manque" in shown(without).lower()
    assert "Lucienne Morel" in without.content.decode()
    answer = walk(
        relative, HERE, HOLE, SAID, given | SEND | {"reference": "Mandat du 3 mars, chez elle"}, address=ADDRESS
    )
    assert answer.status_code == 302


def test_the_counter_is_for_agents_and_a_mandate_for_those_signed_in(
    reporting_town: str, signed_in: Callable[..., Client], client: Client
) -> None:
    refused = walk(signed_in(Role.RESIDENT), HERE, HOLE, SAID, LUCIENNE | SEND, address=ADDRESS)
    assert refused.status_code == 400
    nobody = walk(client, HERE, HOLE, SAID, LUCIENNE | SEND, address=ADDRESS)
    assert nobody.status_code == 400
    assert "demande un compte" in shown(nobody)
    assert queries.public_reports(reporting_town, at=_now()).total == 0


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()
