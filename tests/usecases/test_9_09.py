"""9-09, owners of premises, rental values, transfers.

« owner, tenant, rental value and business transfer (BODACC) of each premises, entitled agents only, access logged ».
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from beffroi.base.journal.queries import EventFilter, events
from beffroi.base.territory.operations import add_service
from beffroi.base.territory.territories import BadService
from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
from beffroi.lake import queries as lake
from beffroi.lake.layer_settings import Owners
from beffroi.lake.queries import DatasetNotFound, DatasetRef
from beffroi.sense.twin.models import OwnersReading, OwnersWork
from beffroi.sense.twin.owners import operations
from beffroi.sense.twin.owners.operations import NoReason, Owner, Tenant, Transfer
from beffroi.sense.twin.owners.queries import LotNotFound, OwnersRefused, found_lots, readings
from faces.portal.small_town import AT, CODE
from territory_makers import make_person
from usecases.reading import lake_of, text_of

pytestmark = pytest.mark.django_db

WANTED = Owners()
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
WHY = "Boutique vide depuis deux ans, proposer un repreneur."
SHOP, HOME = "000000000002", "000000000001"
AGENT = Viewer(None, (Grant(CODE, Role.AGENT, frozenset({"economie"})),))
CHIEF = Viewer(None, (Grant(CODE, Role.ADMINISTRATOR),))
SOURCES = {
    "locaux": (
        "locaux_00001.csv",
        "idlocal;annee;idcom;dteloc;typeact;slocal;ccthp;rnb_id;identifiant_ban;adresse;longitude;latitude\n"
        f"{HOME};2025;{CODE};2;;60;P;AAAABBBBCCCC;B1;12 Grande Rue;3.004;45.004\n"
        f"{SHOP};2025;{CODE};4;MAG1;80;;AAAABBBBCCCC;B1;12 Grande Rue;3.004;45.004\n",
    ),
    "etablissements": (
        "stocketablissement.csv",
        "siret;codecommuneetablissement;etatadministratifetablissement;datedebut;identifiantadresseetablissement;"
        "enseigne1etablissement;coordonneeLambertAbscisseEtablissement;coordonneeLambertOrdonneeEtablissement;"
        "nomUniteLegale;prenom1UniteLegale\n"
        f"83331059200017;{CODE};A;2015-02-28;B1;LE FOURNIL;700000;6400000;DURAND;ZOE\n",
    ),
    "droits-locaux": (
        "droits_locaux.csv",
        "idlocal;annee;ddenom;droit;dsiren;vl_eur;jdatnss\n"
        f"{SHOP};2025;SCI HAUTE;nu-propriétaire;123456782;4200;\n{SHOP};2025;DUPONT JEANNE;usufruitier;;4200;1950\n"
        f"{HOME};2025;MARTIN PAUL;propriétaire;;900;1960\n",
    ),
    "annonces-bodacc": (
        "annonces-commerciales.csv",
        "id;publicationavis;dateparution;familleavis;familleavis_lib;registre;commercant;ville;cp;listeetablissements;"
        "listeprecedentproprietaire;listepersonnes;listeprecedentexploitant;jugement;typeavis\n"
        "A202002333642;A;2020-11-30;vente;Ventes et cessions;833 310 592,833310592;LE FOURNIL;Bourg;00100;"
        '"{""etablissement"": {""origineFonds"": ""Acquis au prix stipulé de 120 000 EUR""}}";'
        '"{""personne"": {""denomination"": ""AU BON PAIN""}}";;;;annonce\n'
        "A202102333642;A;2021-11-30;vente;Ventes et cessions;111 111 111,111111111;AUTRE;Bourg;00100;;;;;;annonce\n"
        "B202102333643;B;2021-12-30;modification;Modif.;833 310 592,833310592;LE FOURNIL;Bourg;00100;;;;;;annonce\n",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def owners_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake_of(tmp_path_factory.mktemp("proprietaires"), SOURCES, territory=CODE, at=AT)


@pytest.fixture
def town(owners_lake: Path, settings: Any, small_town: str) -> str:
    settings.LAKE_DIR = owners_lake
    add_service(territory=CODE, slug="proprietaires", name="Propriétaires", at=AT)
    return small_town


@pytest.fixture
def officer(town: str) -> Viewer:
    person = make_person(Role.AGENT, territory=CODE, services=("proprietaires",), email="eco@bourg.test")
    return Viewer(person, (Grant(CODE, Role.AGENT, frozenset({"proprietaires"})),))


def test_the_record_tells_owner_tenant_rental_value_and_transfers(officer: Viewer) -> None:
    operations.begin_work(officer, CODE, WANTED, reason=WHY, at=NOW)
    found = operations.consult(officer, CODE, WANTED, SHOP, at=NOW)
    assert set(found.owners) == {Owner("SCI HAUTE", "nu-propriétaire", "123456782"),
                                 Owner("DUPONT JEANNE", "usufruitier", "")}  # fmt: skip
    assert (found.rental_eur, found.year) == (4200.0, 2025)
    # The only establishment of an address that has one place of work.
    assert found.tenant == Tenant("LE FOURNIL", "83331059200017", open=True)
    assert found.transfers == (Transfer("A202002333642", "2020-11-30", "LE FOURNIL", "AU BON PAIN", 120_000),)
    # A dwelling has no record.
    with pytest.raises(LotNotFound):
        operations.consult(officer, CODE, WANTED, HOME, at=NOW)


def test_every_reading_is_logged_with_who_when_what_and_why(officer: Viewer) -> None:
    with pytest.raises(NoReason):
        operations.consult(officer, CODE, WANTED, SHOP, at=NOW)
    with pytest.raises(NoReason):
        operations.begin_work(officer, CODE, WANTED, reason="voir", at=NOW)
    assert not OwnersReading.objects.exists()
    operations.begin_work(officer, CODE, WANTED, reason=WHY, at=NOW)
    for minutes in (1, 2):
        operations.consult(officer, CODE, WANTED, SHOP, at=NOW + timedelta(minutes=minutes))
    rows, total = readings(CHIEF, CODE)
    assert total == 2
    assert (rows[0].person, rows[0].reason, rows[0].lot, rows[0].address, rows[0].at) == (
        officer.person_id, WHY, SHOP, "12 Grande Rue", NOW + timedelta(minutes=2),
    )  # fmt: skip
    told = [(one.kind, one.actor) for one in events(CHIEF, EventFilter(kind="owners.")).events]
    assert told == [("owners.read", officer.person_id)] * 2 + [("owners.work_begun", officer.person_id)]
    # The session ends: the reason is asked again.
    with pytest.raises(NoReason):
        operations.consult(officer, CODE, WANTED, SHOP, at=NOW + timedelta(hours=WANTED.hours))
    assert (OwnersReading.privacy.retention.amount, OwnersWork.privacy.retention.unit) == (1, "year")


def test_nobody_reads_owners_but_by_a_logged_record(officer: Viewer) -> None:
    for viewer in (ANONYMOUS, AGENT, CHIEF, officer):
        with pytest.raises(DatasetNotFound):
            lake.dataset(viewer, DatasetRef(CODE, "droits-locaux"))
        assert all(one.ref.slug != "droits-locaux" for one in lake.datasets(viewer, territory=CODE))
    # No service may bear the name of the class they are in.
    with pytest.raises(BadService):
        add_service(territory=CODE, slug="consultation-tracee", name="Consultation tracée", at=AT)
    # Neither an agent, nor the administrator who reads the log, nor a key of the service.
    key = Viewer(officer.person_id, officer.grants, frozenset({"data:agents"}))
    for viewer in (ANONYMOUS, AGENT, CHIEF, key):
        with pytest.raises(OwnersRefused):
            operations.begin_work(viewer, CODE, WANTED, reason=WHY, at=NOW)
        with pytest.raises(OwnersRefused):
            operations.consult(viewer, CODE, WANTED, SHOP, at=NOW)
        with pytest.raises(OwnersRefused):
            found_lots(viewer, CODE, WANTED, text="grande rue")
    for viewer in (AGENT, officer):
        with pytest.raises(OwnersRefused):
            readings(viewer, CODE)


def test_the_pages_ask_why_then_show_and_log(town: str, client: Client, signed_in: Callable[..., Client]) -> None:
    assert client.get("/proprietaires-locaux/").status_code == 302
    for other in (signed_in(Role.AGENT), signed_in(Role.ADMINISTRATOR), signed_in(Role.ELECTED)):
        assert other.get("/proprietaires-locaux/").status_code == 403
        assert other.get(f"/proprietaires-locaux/local/{SHOP}/").status_code == 403
    officer = signed_in(Role.AGENT, services=("proprietaires",))
    assert officer.get(f"/proprietaires-locaux/local/{SHOP}/").status_code == 302
    assert officer.post("/proprietaires-locaux/", {"reason": "voir"}).status_code == 400
    assert officer.post("/proprietaires-locaux/", {"reason": WHY}).status_code == 302
    listed = officer.get("/proprietaires-locaux/?q=grande rue")
    # The list names nobody, and holds no dwelling.
    assert [one.id for one, _use in listed.context["lots"]] == [SHOP]
    assert "SCI HAUTE" not in text_of(listed)
    assert not OwnersReading.objects.exists()
    page = officer.get(f"/proprietaires-locaux/local/{SHOP}/")
    told = text_of(page)
    assert re.search(r"SCI HAUTE.*4 200 € par an.*LE FOURNIL.*cédé par AU BON PAIN.*120 000 €", told)
    assert WHY in told
    assert "no-store" in page["Cache-Control"]
    log = signed_in(Role.ADMINISTRATOR).get("/proprietaires-locaux/consultations/")
    assert "12 Grande Rue" in text_of(log)
    assert WHY in text_of(log)
    assert "SCI HAUTE" not in text_of(log)
    assert officer.get("/proprietaires-locaux/consultations/").status_code == 403
    assert officer.post("/proprietaires-locaux/finir/").status_code == 302
    assert officer.get(f"/proprietaires-locaux/local/{SHOP}/").status_code == 302
    assert OwnersReading.objects.count() == 1
