"""1-04, « lost and found reports are matched and both parties told »."""

from __future__ import annotations

import pytest
from django.test import Client

from beffroi.base.journal.operations import deliver_pending
from faces.portal.reports.test_filing import HERE, SEND, shown, walk

pytestmark = pytest.mark.django_db
LOST = {"d_espece": "chat", "d_jour": "2026-03-01", "d_puce": "250269600000000", "description": "Chatte tigrée."}
FOUND = {"d_espece": "chat", "d_jour": "02/03/2026", "description": "Chat tigré très doux."}


def animal(client: Client, category: str, answers: dict[str, str], email: str, lon: str) -> str:
    """Report an animal by its own path; return the follow-up page."""
    form = walk(client, HERE | {"lon": lon}, {"category": category}, address="/signaler/1-04/")
    assert "Quel animal ?" in shown(form)
    mine = {"category": category}
    sent = walk(client, HERE | {"lon": lon}, mine, answers, SEND | {"email": email}, address="/signaler/1-04/")
    return sent["Location"].split("?")[0]


def test_both_are_told_and_neither_learns_who_the_other_is(reporting_town: str) -> None:
    owner, finder, third = Client(), Client(), Client()
    lost = animal(owner, "animal-perdu", LOST, "camille@exemple.fr", "3,0045")
    animal(third, "animal-trouve", FOUND | {"d_espece": "chien"}, "zoe@exemple.fr", "3,0046")
    assert owner.get(lost).context["matches"] == []
    found = animal(finder, "animal-trouve", FOUND, "nadia@exemple.fr", "3,0047")
    for _ in range(2):
        deliver_pending(1000)
    for client, page, other_mail in ((owner, lost, "nadia@exemple.fr"), (finder, found, "camille@exemple.fr")):
        answer = client.get(page)
        assert "Peut-être le même animal" in shown(answer)
        assert "Un signalement ressemble au vôtre" in shown(answer)
        assert other_mail not in answer.content.decode()
        (match,) = answer.context["matches"]
        public = client.get(f"/signalements/{match['report'].number}/")
        assert public.status_code == 200
        assert other_mail not in public.content.decode()
        assert LOST["d_puce"] not in public.content.decode()
    # The word of one goes to the service, which relays it: it is in nobody else's thread.
    assert owner.post(lost, {"do": "write", "text": "C’est ma Minette !"}).status_code == 302
    assert "Minette" not in shown(finder.get(found))
    # A passer-by is told of no match.
    number = owner.get(lost).context["info"].number
    assert Client().get(f"/signalements/{number}/").context["matches"] == []


def test_the_day_and_the_species_are_needed(reporting_town: str, client: Client) -> None:
    refused = walk(client, HERE, {"category": "animal-perdu"}, {"description": "Mon chat."}, address="/signaler/1-04/")
    assert refused.status_code == 400
    assert shown(refused).count("Ce champ est obligatoire") >= 2
