"""6-04: « one invoice per family and month, history, payment by a standard gateway adapter, reconciliation, refunds »,
from the file an agent deposits to the receipt a parent keeps. What goes wrong on the way is in tests/serve/payments.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from beffroi.base.territory.viewer import Role, Viewer
from beffroi.config.demo.bills import add_bills
from beffroi.serve.payments import operations, queries
from bill_makers import AT, CODE, HEAD, SERVICE, keeper, make_bill, make_billing_town, make_family
from territory_makers import make_person

pytestmark = pytest.mark.django_db
DESK, MINE = "/agent/factures/", "/factures/"


def client_of(person: int) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=person), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def town(db: None, settings: Any) -> str:
    settings.STRONG_AUTH = False
    return make_billing_town()


@pytest.fixture
def agent(town: str) -> int:
    return make_person(Role.AGENT, territory=town, services=(SERVICE,))


@pytest.fixture
def parent(town: str) -> int:
    return make_person(Role.RESIDENT, territory=town, email="parent@exemple.fr")


def plain(response: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())


def billed(agent: int, parent: int, town: str) -> int:
    """A bill of 28,80 € that the parent sees."""
    key = make_bill(keeper(town, person=agent), town)
    family = queries.bill(keeper(town, person=agent), town, key).family_id
    operations.link_by_agent(keeper(town, person=agent), town, family, email="parent@exemple.fr", at=AT)
    return key


def test_from_the_deposit_to_the_receipt(town: str, agent: int, parent: int) -> None:
    desk, home = client_of(agent), client_of(parent)
    family = {"reference": "F-7", "name": "Famille Sept", "quotient": "500", "email": "parent@exemple.fr"}
    page = desk.post(f"{DESK}familles/", family)
    assert page.status_code == 302, page.context["form"].errors
    lines = "2026-10;F-7;Lou;cantine;12\n2026-10;F-7;Noé;centre-de-loisirs;2\n2026-10;F-8;Ava;cantine;1\n"
    sent = SimpleUploadedFile("octobre.csv", (HEAD + lines).encode())
    said = plain(desk.post(f"{DESK}unites/", {"do": "file", "file": sent}))
    assert "2 lignes prises" in said
    assert "Ligne 4 : la famille « F-8 » n’est pas connue" in said
    month = desk.get(f"{DESK}mois/2026-10/")
    (plan,) = month.context["plans"]
    assert "1 facture, pour 36,60 €" in plain(month)
    asked = {"register": plan["plan"].register, "fingerprint": plan["plan"].fingerprint}
    said = plain(desk.post(f"{DESK}mois/2026-10/emettre/", asked, follow=True))
    assert "1 facture est émise" in said
    # The same press again sends nothing.
    assert "rien à facturer" in plain(desk.post(f"{DESK}mois/2026-10/emettre/", asked, follow=True))
    (info,) = queries.unpaid_bills(keeper(town, person=agent), town)
    # The parent has the paper, and finds it again by its code.
    code = queries.family_code(keeper(town, person=agent), town, info.family_id)
    assert home.post(MINE, {"reference": "F-7", "code": "AAAA-AAAA-AAAA"}).status_code == 400
    assert "36,60 € à payer" in plain(home.post(MINE, {"reference": "f-7", "code": code}, follow=True))
    bill = plain(home.get(f"{MINE}{info.id}/"))
    for word in ("Lou – Restauration scolaire", "12 repas", "2,40 €", "deux mois", "L1617-5", "Émise le"):
        assert word in bill
    paper = home.get(f"{MINE}{info.id}/facture.pdf")
    assert (paper["Content-Type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    # She pays: our page first, then the make-believe bank, then the receipt.
    way = home.post(f"{MINE}{info.id}/payer/")
    ours = home.get(way["Location"])
    assert "Aucun argent ne circule" in plain(ours)
    bank = ours.context["gateway_url"]
    assert "Ceci n’est pas une banque" in plain(home.get(bank))
    done = home.post(bank, {"do": "pay"}, follow=True)
    assert "Paiement reçu" in plain(done)
    after = plain(home.get(f"{MINE}{info.id}/"))
    assert "Réglée" in after
    assert "valent reçu" in after
    receipt = " ".join(
        PdfReader(io.BytesIO(home.get(f"{MINE}{info.id}/facture.pdf").content)).pages[0].extract_text().split()
    )
    for word in (
        f"Facture n° {timezone.localdate().year}-00001",
        "12 repas",
        "Paiement reçu (Bac à sable (aucun argent)), 36,60",
        "L1617-5",
        code,
    ):
        assert word in receipt
    assert "Mes factures" in plain(home.get("/mes-demandes/"))
    # Asked twice, told twice: once.
    home.post(bank, {"do": "pay"})
    heard = Client().post("/paiement/notification/", {"idop": bank.strip("/").split("/")[-1]})
    assert (heard.status_code, heard.content) == (200, b"OK")
    rows = list(
        csv.DictReader(
            io.StringIO(desk.get(f"{DESK}grand-livre-{info.issued_on.year}.csv").content.decode("utf-8-sig"))
        )
    )
    assert sum(int(row["debit_centimes"]) for row in rows if row["compte"].startswith("cash:")) == 3660
    assert sum(int(row["debit_centimes"]) - int(row["credit_centimes"]) for row in rows) == 0


@pytest.mark.parametrize(
    ("press", "told"),
    [
        ("refuse", "Paiement refusé par la banque"),
        ("leave", "En attente de la réponse de la banque"),
        ("less", "Paiement en cours de vérification"),
    ],
)
def test_what_was_not_paid_is_told_as_it_is(town: str, agent: int, parent: int, press: str, told: str) -> None:
    key, home = billed(agent, parent, town), client_of(parent)
    ours = home.post(f"{MINE}{key}/payer/", follow=True)
    assert told in plain(home.post(ours.context["gateway_url"], {"do": press}, follow=True))
    assert "28,80 € à payer" in plain(home.get(f"{MINE}{key}/"))


def test_an_agent_records_reverses_and_gives_back_with_a_colleague(town: str, agent: int, parent: int) -> None:
    key = billed(agent, parent, town)
    desk = client_of(agent)
    page = f"{DESK}{key}/"
    form = {"do": "pay", "amount": "30,00 €", "way": "cheque", "day": "2026-11-04", "reference": "n° 7", "once": "x"}
    for _ in range(2):
        assert desk.post(page, form).status_code == 302
    assert desk.post(page, form | {"amount": "trente", "once": "y"}).status_code == 400
    family = desk.get(page).context["info"].family_id
    refund = {"do": "refund", "rendre-amount": "1,20", "rendre-reason": "Trop-perçu", "rendre-register": "enfance"}
    assert desk.post(f"{DESK}familles/{family}/", refund).status_code == 302
    (asked,) = queries.refunds(keeper(town, person=agent), town)
    mine = desk.post(f"{DESK}remboursements/", {"refund": asked.pk, "do": "approve"}, follow=True)
    assert "approuvé par une autre personne" in plain(mine)
    colleague = client_of(make_person(Role.AGENT, territory=town, services=(SERVICE,)))
    done = colleague.post(f"{DESK}remboursements/", {"refund": asked.pk, "do": "approve"}, follow=True)
    assert "Le remboursement est approuvé" in plain(done)
    (move,) = [one for one, *_cells in desk.get(page).context["moves"] if one.kind == "payment"]
    said = plain(desk.post(page, {"do": "reverse", "entry": move.entry, "reason": "Sans provision"}, follow=True))
    # What was given back of a cheque without funds is owed again.
    assert "30,00 € à payer" in said
    assert "Paiement annulé" in said


def test_every_page_of_the_desk_answers_and_refuses_plainly(town: str, agent: int, parent: int) -> None:
    key, desk = billed(agent, parent, town), client_of(agent)
    family = queries.bill(keeper(town, person=agent), town, key).family_id
    pages = ("", "unites/", "impayees/", "impayees/?csv", "remboursements/", "rapprochement/", "familles/?q=fam",
             f"familles/{family}/", "regie/enfance/", "mois/2026-10/", f"{key}/", "grand-livre-2026.csv")  # fmt: skip
    assert [desk.get(DESK + page).status_code for page in pages] == [200] * len(pages)
    for page, status in (("mois/hier/", 400), ("regie/autre/", 404), ("familles/99/", 404), ("99/", 404)):
        assert desk.get(DESK + page).status_code == status
    statement = SimpleUploadedFile("r.csv", b"date;reference;montant\n05/11/2026;?;1,00\n")
    said = plain(desk.post(f"{DESK}rapprochement/", {"do": "file", "register": "enfance", "file": statement}))
    assert "Référence inconnue" in said
    told = {"title": "Régie", "kind": "titre", "gateway": "payfip", "payfip_client": "12"}
    assert desk.post(f"{DESK}regie/enfance/", told).status_code == 400
    line = {"do": "line", "ligne-family": "F-1", "ligne-month": "2026-11", "ligne-child": "Lou",
            "ligne-service": "cantine", "ligne-units": "99"}  # fmt: skip
    assert "23 au plus" in plain(desk.post(f"{DESK}unites/", line))
    assert desk.post(f"{DESK}unites/", line | {"ligne-units": "9"}).status_code == 302
    # Neither « ² », a digit to Python, nor five thousand figures are an entry of the ledger.
    for entry in ("²", "9" * 5000):
        said = plain(desk.post(f"{DESK}{key}/", {"do": "reverse", "entry": entry, "reason": "Erreur"}, follow=True))
        assert "Paiement annulé" not in said
    # An agent of another service, an administrator: not theirs.
    for other in (make_person(Role.AGENT, territory=town), make_person(Role.ADMINISTRATOR, territory=town)):
        refused = [client_of(other).get(DESK + page).status_code for page in pages]
        # A bill is not even said to be.
        assert refused == [404 if page == f"{key}/" else 403 for page in pages]


def test_a_bill_is_read_by_its_family_alone(town: str, agent: int, parent: int) -> None:
    key = billed(agent, parent, town)
    stranger = client_of(make_person(Role.RESIDENT, territory=town))
    for page in (f"{MINE}{key}/", f"{MINE}{key}/facture.pdf"):
        assert stranger.get(page).status_code == 404
        assert Client().get(page).status_code == 302
    assert stranger.post(f"{MINE}{key}/payer/").status_code == 404
    assert "-00001" not in plain(stranger.get(MINE))
    assert Client().post("/paiement/notification/", {"idop": "inconnu"}).status_code == 404


def test_the_list_asks_little_however_many_bills(
    town: str, agent: int, parent: int, django_assert_max_num_queries: Any
) -> None:
    billed(agent, parent, town)
    home = client_of(parent)
    home.get(MINE)
    with django_assert_max_num_queries(12):
        home.get(MINE)


def test_what_a_person_takes_away_holds_her_bills_and_erasing_her_keeps_the_accounts(
    town: str, agent: int, parent: int
) -> None:
    from beffroi.base.privacy.operations import erase_person
    from beffroi.base.privacy.queries import personal_export

    key = billed(agent, parent, town)
    held = str(personal_export(parent, at=AT))
    assert "Famille F-1" in held
    assert "Lou" in held
    erase_person(parent, by=parent, at=AT)
    by = keeper(town, person=agent)
    told = queries.bill(by, town, key)
    assert (told.due_cents, told.addressee) == (2880, "Famille F-1")
    assert queries.family(by, town, told.family_id)[0].members == 0


def test_the_demonstration_has_families_some_paid_some_not(town: str, agent: int, parent: int) -> None:
    email = get_user_model().objects.get(pk=agent).email
    assert add_bills(CODE, resident_email="parent@exemple.fr", agent_email=email, at=AT) == 5
    assert add_bills(CODE, resident_email="parent@exemple.fr", agent_email=email, at=AT) == 0
    by = keeper(town, person=agent)
    told = queries.standing(by, town, day=AT.date())
    assert (told.unpaid, told.refunds) == (6, 1)
    assert [one.due_cents > 0 for one in queries.own_bills(Viewer(parent), town)] == [True, False]


def test_officials_read_the_share_paid_in_time_and_nothing_of_a_few(town: str, agent: int) -> None:
    from datetime import date, timedelta

    from beffroi.base.territory.queries import commune
    from beffroi.faces.cockpit.billed import bills
    from beffroi.faces.cockpit.figures import Asked
    from bill_makers import deposit, issue

    by = keeper(town, person=agent)
    for rank in range(10):
        make_family(by, town, f"F-{rank}")
    deposit(by, "".join(f"2026-10;F-{rank};Lou;cantine;5\n" for rank in range(10)), town)
    keys = issue(by, town)
    pay = {"cents": 1200, "way": "especes", "reference": "", "day": AT.date(), "once": "a"}
    for key in keys[:8]:
        operations.record_payment(by, town, key, at=AT, **pay)  # type: ignore[arg-type]
    asked = Asked(Viewer(1), commune(town), date(2026, 12, 20))
    (told,) = bills(asked)
    assert (told.value, told.unit, told.comparison) == (80, "%", "")
    assert list(bills(Asked(Viewer(1), commune(town), date(2026, 12, 3) + timedelta(days=91)))) == []


def test_a_family_written_again_under_its_reference_is_the_same(town: str, agent: int) -> None:
    by = keeper(town, person=agent)
    assert make_family(by, town) == make_family(by, town, quotient=300)
    assert [one.quotient for one in queries.families(by, town)] == [300]
