"""4-12, « linked to the register, consented, signalled by oneself, a relative or the postman, matched, followed »."""

from __future__ import annotations

import pytest
from django.test import Client

from beffroi.serve.procedures import queries
from beffroi.serve.procedures.models import Card
from desk_makers import sign_in_agent
from faces.portal.reports.test_filing import shown
from usecases.test_1_21 import SERVICE, entered, stored_words
from usecases.test_1_21 import town as town
from usecases.test_6_06 import token_in

pytestmark = pytest.mark.django_db
PAGE = "/demarches/4-12/"
PERSON = {
    "nom": "Lucienne Morel", "naissance": "1938-02-03", "telephone": "04 67 00 00 01",
    "adresse": "12 Grande Rue 00100 Bourg-l’Essai", "adresse_libre": "on", "coup-de-main": "courses",
}  # fmt: skip


def test_signalled_by_the_postman_agreed_matched_and_followed(town: str, client: Client) -> None:
    follow = entered(client, who="facteur", page=PAGE, person=PERSON | {"canicule": "non"})
    agent, _me = sign_in_agent(SERVICE, town=town)
    key = Card.objects.get().pk
    page = f"/agent/registres/fiche/{key}/"
    # Nobody is matched before she agreed.
    early = agent.post(page, {"do": "help", "helper": "Sacha Voisin, 06 00 00 00 09"})
    assert early.status_code == 400
    assert agent.post(page, {"do": "confirm", "how": "De vive voix, le facteur présent."}).status_code == 302
    assert agent.post(page, {"do": "help", "helper": "Sacha Voisin, 06 00 00 00 09"}).status_code == 302
    assert "Sacha Voisin" in shown(client.get(follow))
    assert "Sacha Voisin" not in stored_words()
    assert client.post(follow, {"do": "want", "card": key, "kind": "bricolage"}).status_code == 302
    assert "Un petit bricolage" in shown(agent.get(page))


def test_one_who_does_not_wish_it_is_on_no_register(town: str, client: Client) -> None:
    follow = entered(client, who="proche", page=PAGE, person=PERSON | {"canicule": "oui"})
    agent, _me = sign_in_agent(SERVICE, town=town)
    number = queries.followed_request(token_in(follow))[0].number
    assert agent.post(f"/agent/demarches/{number}/decider/", {"decision": "refuse"}).status_code == 302
    assert "Sa fiche est effacée" in shown(client.get(follow))
    assert "Lucienne Morel" not in shown(client.get(follow))
    # Withdrawn by the one who asked, nothing remains either.
    other = entered(client, page=PAGE, person=PERSON | {"canicule": "oui"})
    assert client.post(other, {"do": "withdraw", "reason": "Plus besoin."}).status_code == 302
    assert Card.objects.count() == 0


def test_at_her_wish_she_is_on_the_heat_register_too_and_leaves_each_on_its_own(town: str, client: Client) -> None:
    follow = entered(client, page=PAGE, person=PERSON | {"canicule": "oui"})
    assert sorted(Card.objects.values_list("use_case", flat=True)) == ["1-21", "4-12"]
    agent, _me = sign_in_agent(SERVICE, town=town)
    assert "Lucienne Morel" in shown(agent.get("/agent/registres/1-21/"))
    heat = Card.objects.get(use_case="1-21").pk
    assert client.post(follow, {"do": "leave", "card": heat}).status_code == 302
    assert "Lucienne Morel" not in shown(agent.get("/agent/registres/1-21/"))
    assert "Lucienne Morel" in shown(agent.get("/agent/registres/4-12/"))
    assert "Lucienne Morel" in shown(client.get(follow))
