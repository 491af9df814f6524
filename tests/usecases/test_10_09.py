"""10-09: « published accounts (INPI), BODACC events and shop-declared trend mapped by street and sector, fewer than k
shops masked, confidential accounts never guessed »."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from beffroi.base.kernel.masking import told_groups
from beffroi.base.territory.viewer import ANONYMOUS, Role
from beffroi.faces.portal.trade.words import counts
from beffroi.lake import queries as lake
from beffroi.lake.definitions import Definition, definition_named, load_definitions
from beffroi.lake.operations import import_source
from beffroi.lake.queries import DatasetRef
from beffroi.lake.town.ground import siren_of
from beffroi.sense.places.trade.queries import DOWN, STABLE, UP, Line, Shop, by_group
from beffroi.serve.offers.models import TrendDeclaration
from beffroi.serve.offers.trends import season_of
from faces.portal.small_town import AT, CODE

pytestmark = pytest.mark.django_db

PAGE, SAY = "/commerces/evolution/", "/commerces/tendance/"
STREETS = ["HAUTE"] * 8 + ["BASSE"] * 6 + ["NEUVE"] * 3
FIRMS = [siren_of(f"001{rank:05d}") for rank in range(len(STREETS))]


def siret_of(siren: str) -> str:
    """Return the first SIRET of a firm whose key is right."""
    for nic in range(10, 100):
        digits = f"{siren}{nic:05d}"
        doubled = [int(one) * (2 if rank % 2 else 1) for rank, one in enumerate(reversed(digits))]
        if sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0:
            return digits
    raise AssertionError(siren)


SIRETS = [siret_of(one) for one in FIRMS]


@pytest.fixture(scope="module")
def published_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight shops rue Haute, six rue Basse, three rue Neuve; the last of rue Basse keeps its accounts secret."""
    folder = tmp_path_factory.mktemp("commerces")
    shops = ["siret;siren;etatadministratifetablissement;etablissementsiege;typevoieetablissement;"
             "libellevoieetablissement;secteur;lon;lat"]  # fmt: skip
    accounts = ["siren;date_cloture_exercice;code_type_bilan;code_confidentialite;chiffre_d_affaires;resultat_net"]
    for rank, (siren, street) in enumerate(zip(FIRMS, STREETS, strict=True)):
        trade = "Commerce" if rank < 11 else "Restauration"
        shops.append(f"{SIRETS[rank]};{siren};A;true;RUE;{street};{trade};3.01;45.01")
        secret, last = int(rank == 13), 110000 if rank % 2 else 90000
        accounts += [f"{siren};2024-12-31;S;{secret};100000;1", f"{siren};2025-12-31;S;{secret};{last};1"]
    # The seventh of rue Haute is a chain: it has a second shop, rue Neuve.
    shops.append(f"{FIRMS[6]}99999;{FIRMS[6]};A;false;RUE;NEUVE;Commerce;3.01;45.01")
    day = timezone.localdate()
    named = ";listepersonnes;listeprecedentproprietaire;listeprecedentexploitant;jugement"
    notices = [
        f"id;dateparution;typeavis;familleavis;familleavis_lib;commercant;ville;cp;registre{named}",
        f"A1;{day};annonce;collective;Procédures collectives;CHEZ LEA;Bourg;00000;{FIRMS[0]},{FIRMS[0]};;;;",
        f"A2;{day - timedelta(days=900)};annonce;vente;Ventes;CHEZ LEO;Bourg;00000;{FIRMS[1]},{FIRMS[1]};;;;",
    ]
    known = load_definitions()[0]
    for slug, lines in {"etablissements": shops, "comptes-annuels": accounts, "annonces-bodacc": notices}.items():
        path = folder / f"{slug}.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        done = import_source(
            path, territory=CODE, slug=slug, at=AT, lake=folder / "lake", announce=False,
            definition=Definition(slug, id="siret") if slug == "etablissements" else definition_named(slug, "", known),
        )  # fmt: skip
        assert done.version, done.reason
    return folder


@pytest.fixture
def town(tmp_path: Path, published_lake: Path, settings: Any, small_town: str) -> Path:
    """A copy of it for one test."""
    shutil.copytree(published_lake, tmp_path, dirs_exist_ok=True)
    settings.LAKE_DIR = tmp_path / "lake"
    return tmp_path


def lines_of(client: Client, which: str = "streets") -> dict[str, Line]:
    found = client.get(PAGE).context["found"]
    return {one.name: one for one in getattr(found, which)}


def test_accounts_and_notices_by_street_and_sector_never_fewer_than_five(
    town: Path, signed_in: Callable[..., Client]
) -> None:
    elected = signed_in(Role.ELECTED)
    streets = lines_of(elected)
    # Rue Haute: eight shops, of which a chain: seven accounts. Rue Basse: five and a secret one.
    assert streets["Rue Haute"].accounts == {UP: 4, STABLE: 0, DOWN: 3}
    assert streets["Rue Haute"].events == {"opened": 0, "sold": 0, "trouble": 1, "closed": 0}, "too old a sale is none"
    # Rue Neuve has four shops: alone masked, it would be what is left of the total. Rue Basse joins it, together eight.
    assert set(streets) == {"Rue Haute", ""}
    assert (streets[""].groups, streets[""].shops, streets[""].accounts) == (2, 10, {UP: 3, STABLE: 0, DOWN: 5})
    sectors = lines_of(elected, "sectors")
    assert {name: one.shops for name, one in sectors.items()} == {"Commerce": 12, "Restauration": 6}
    text = elected.get(PAGE).content.decode()
    assert "4 ↗, 0 →, 3 ↘" in text
    assert "CHEZ LEA" not in text
    drawn = elected.get("/commerces/evolution.geojson").json()
    (street,) = [one["properties"] for one in drawn["features"] if one["properties"]["genre"] != "tu"]
    assert (street["title"], street["genre"]) == ("Rue Haute : 8 établissements ; comptes 4 ↗, 0 →, 3 ↘", "hausse")
    file = elected.get("/commerces/evolution.csv").content.decode("utf-8-sig")
    assert 'Par rue,"Autres rues, ensemble (2)",10,"3 ↗, 0 →, 5 ↘",tu,' in file


def test_a_secret_account_is_not_taken(town: Path) -> None:
    kept = lake.table(ANONYMOUS, DatasetRef(CODE, "comptes-annuels"))
    assert kept.total == 2 * (len(FIRMS) - 1)
    columns = [one.key for one in lake.dataset(ANONYMOUS, DatasetRef(CODE, "annonces-bodacc")).columns]
    assert "commercant" not in columns
    assert "siren" in columns


def test_a_shop_says_how_it_goes_and_counts_once_an_agent_has_looked(
    town: Path, signed_in: Callable[..., Client], client: Client
) -> None:
    season = season_of(timezone.localdate())
    owner, agent = signed_in(), signed_in(Role.AGENT)
    sent = {"siret": SIRETS[0], "season": season, "trend": "down", "runs": "on"}
    assert client.post(SAY, sent).status_code == 302
    assert not TrendDeclaration.objects.exists(), "nobody is signed in"
    assert owner.post(SAY, sent | {"siret": "12345678900000"}).status_code == 400
    assert owner.post(SAY, {key: value for key, value in sent.items() if key != "runs"}).status_code == 400
    assert owner.post(SAY, sent).status_code == 302
    assert owner.post(SAY, sent).status_code == 302, "said again, it is one"
    one = TrendDeclaration.objects.get()
    assert "en attente de la mairie" in owner.get(SAY).content.decode()
    assert owner.post(f"{SAY}{one.pk}/decider/", {"do": "accept"}).status_code == 403
    for rank in range(1, 5):
        agent.post(SAY, {"siret": SIRETS[rank], "season": season, "trend": "up"})
    assert lines_of(agent)["Rue Haute"].declared is None, "four, and one that waits"
    assert SIRETS[0] in agent.get(PAGE).content.decode()
    assert SIRETS[0] not in signed_in(Role.ELECTED).get(PAGE).content.decode()
    assert agent.post(f"{SAY}{one.pk}/decider/", {"do": "accept"}).status_code == 302
    assert lines_of(agent)["Rue Haute"].declared == {UP: 4, STABLE: 0, DOWN: 1}


def test_groups_are_for_agents_and_officials(town: Path, signed_in: Callable[..., Client], client: Client) -> None:
    for url in (PAGE, "/commerces/evolution.csv", "/commerces/evolution.geojson"):
        assert client.get(url).status_code == 302
        assert signed_in().get(url).status_code == 403
    page = client.get("/services/10-09/").content.decode()
    assert PAGE not in page
    assert SAY in page


def test_no_subtraction_tells_of_fewer_than_five() -> None:
    rng = random.Random(3)
    for _round in range(300):
        shops = [
            Shop(str(rank), rng.choice("ABCDEFG"), "", 3.0, 45.0, rng.choice((UP, DOWN, STABLE, None)),
                 rng.choice((UP, None, None)), frozenset())
            for rank in range(rng.randrange(1, 60))
        ]  # fmt: skip
        lines = by_group(shops, lambda one: one.street, least=5)
        for measure in ("accounts", "declared"):
            known = sum(getattr(one, measure) is not None for one in shops)
            told = [sum(found.values()) for one in lines if (found := getattr(one, measure)) is not None]
            assert all(count >= 5 for count in told)
            left = known - sum(told)
            assert left == 0 or left >= 5 or not told, (measure, known, told)
    assert told_groups({"A": 9, "B": 6, "C": 2}) == {"A"}
    assert counts(None) == "tu"
