"""Furnish the site of the browser tests: registry, town, people, lake. Run in a process of its own."""

from __future__ import annotations

import json
import sys

import django

# Those that the shipped use cases name.
SERVICES = {
    "proprete": "Propreté urbaine",
    "voirie": "Voirie et éclairage",
    "habitat": "Habitat et hygiène",
    "espaces-verts": "Espaces verts",
    "police-municipale": "Police municipale",
    "solidarites": "Solidarités",
    "education": "Éducation",
    "vie-locale": "Vie locale",
}


def furnish(password: str) -> None:
    """Fill BEFFROI_DATA_DIR, whose registry is empty, with the small town and people who sign in with `password`."""
    django.setup()
    from django.conf import settings

    from beffroi.base.kernel.geo import BBox
    from beffroi.base.territory.operations import add_grouping, add_service
    from beffroi.base.territory.viewer import Role
    from beffroi.lake.definitions import definition_named, load_definitions
    from beffroi.sense.places.operations import index_territory
    from city_models import house_text, published
    from faces.portal.offences import place_offences
    from faces.portal.small_town import AT, BBOX, CODE, NAME, SOUTH, WEST, import_small_town
    from sense.mobility.town_graph import place_graph
    from sense.mobility.transit_feeds import place_network
    from territory_makers import make_person, make_town

    make_town(CODE, NAME, population=812, fictional=True, bbox=BBox(*BBOX))
    make_town("00002", "Le Hameau", population=95, fictional=True)
    add_grouping(siren="980000004", name="Communauté de l’Essai", at=AT, members=[CODE, "00002"], fictional=True)
    for slug, name in SERVICES.items():
        add_service(territory=CODE, slug=slug, name=name, at=AT)
    make_person(Role.AGENT, Role.ADMINISTRATOR, territory=CODE, email="agent@bourg.test", password=password)
    crew = ("voirie", "solidarites", "proprete", "education", "vie-locale")
    make_person(Role.AGENT, territory=CODE, services=crew, email="equipe@bourg.test", password=password)
    giver = make_person(Role.ELECTED, territory=CODE, email="elue@bourg.test", password=password)
    sources = settings.DATA_DIR / "sources"
    sources.mkdir(parents=True)
    settings.LAKE_DIR.mkdir(parents=True, exist_ok=True)
    import_small_town(settings.LAKE_DIR, sources)
    place_offences(settings.LAKE_DIR, sources)
    house = house_text(WEST + 0.0113, SOUTH + 0.0094)
    published(CODE, "maisons", "maisons.city.json", house, settings.DATA_DIR, AT, bake=True)
    published(CODE, "comptages-horaires", "comptages-horaires.csv", _counts(), settings.DATA_DIR, AT)
    flood = definition_named("hauteurs-eau", CODE, load_definitions()[0])
    published(CODE, "hauteurs-eau", "n_x_iso_ht_01_s_000.geojson", _water(), settings.DATA_DIR, AT, flood, bake=True)
    lamps = definition_named("points-lumineux", "", load_definitions()[0])
    published(CODE, "points-lumineux", "points_lumineux.csv", _lamps(), settings.DATA_DIR, AT, lamps)
    _light_otherwise(CODE)
    _feel(CODE)
    acts = definition_named("deliberations", "", load_definitions()[0])
    published(CODE, "deliberations", "deliberations.csv", _acts(), settings.DATA_DIR, AT, acts)
    clubs = definition_named("associations", "", load_definitions()[0])
    published(CODE, "associations", "rna_waldec.csv", _example("6-14", "source"), settings.DATA_DIR, AT, clubs)
    bins = definition_named("secteurs-collecte", "", load_definitions()[0])
    sectors = _example("6-03", "collection")
    published(CODE, "secteurs-collecte", "secteurs.geojson", sectors, settings.DATA_DIR, AT, bins)
    under = definition_named("reseaux-enterres", "", load_definitions()[0])
    published(CODE, "reseaux-enterres", "reseaux_enterres.geojson", _networks(), settings.DATA_DIR, AT, under)
    lots = definition_named("locaux", "", load_definitions()[0])
    published(CODE, "locaux", "locaux_00001.csv", _lots(), settings.DATA_DIR, AT, lots)
    irve = definition_named("bornes-recharge", "", load_definitions()[0])
    published(CODE, "bornes-recharge", "irve.csv", _chargers(), settings.DATA_DIR, AT, irve)
    index_territory(CODE)
    place_graph(CODE)
    place_network(CODE, sources)
    _file_reports()
    _plan_the_day()
    _work_in_the_streets(CODE)
    _give_away(CODE, giver)
    _warn(CODE)
    _book(CODE)
    _bill_families(CODE)
    _rent_out(CODE)
    _ask_by_procedures(CODE, giver)
    _go_out(CODE)


def _give_away(code: str, giver: int) -> None:
    """Put a wardrobe on offer, the first: its page has something to show."""
    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import Viewer
    from beffroi.serve.offers.operations import offer_thing
    from faces.portal.small_town import SOUTH, WEST
    from serve_makers import photo

    offer_thing(
        Viewer(giver), code, title="Armoire en pin", pickup="Devant le 12.", street="Grande Rue", days=30,
        lon=WEST + 0.009, lat=SOUTH + 0.0096, at=now(), photos=[photo(size=(640, 480))],
    )  # fmt: skip


def _warn(code: str) -> None:
    """Send the alerts of a demonstration, and open a project: their pages have something to show."""
    from beffroi.base.kernel.time import now
    from beffroi.config.demo.alerts import add_alerts
    from faces.portal.small_town import SOUTH, WEST

    add_alerts(
        code, places=[(WEST + 0.009, SOUTH + 0.0096, "Grande Rue")], author="agent@bourg.test",
        approver="equipe@bourg.test", at=now(),
    )  # fmt: skip


def _book(code: str) -> None:
    """Book the first free day, and note where its page is for those who walk."""
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.serve.bookings import operations, queries
    from beffroi.serve.cases.definition import Requester
    from faces.portal.small_town import SOUTH, WEST

    at, thing = now(), queries.open_thing(code, "1-08")
    lane, _place, _district = queries.lane_at(code, thing.rules, WEST + 0.009, SOUTH + 0.0096, at=at)
    day = queries.bookable_days(code, thing, lane, at=at)[0]
    wish = operations.Wish(
        "1-08", day, WEST + 0.009, SOUTH + 0.0096, "12 Grande Rue", {"matelas": 1}, {"depot": "cour"}
    )
    opened = operations.book(territory=code, wish=wish, requester=Requester(name="Camille", phone="0600000000"),
                             viewer=ANONYMOUS, at=at)  # fmt: skip
    path = settings.DATA_DIR / "walked.json"
    walked = json.loads(path.read_text(encoding="utf-8"))
    walked |= {"booking": opened.number, "booked": opened.token, "day": day.isoformat()} | _hire(code)
    path.write_text(json.dumps(walked), encoding="utf-8")


def _hire(code: str) -> dict[str, str]:
    """Ask for a room, the last free in a week: a deposit, an answer due, papers to bring."""
    from datetime import timedelta
    from urllib.parse import urlencode

    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import ANONYMOUS
    from beffroi.serve.bookings import operations
    from beffroi.serve.bookings.hours import queries
    from beffroi.serve.cases.definition import Requester

    at, thing = now(), queries.open_slot_thing(code, "6-13")
    first = queries.local(code, at).date() + timedelta(days=8)
    found = queries.moments(code, thing, thing.rules.place[:1], first=first, last=first, at=at)
    time = next(one.time for one in found if one.is_free)
    wish = operations.SlotWish("6-13", time.place, time.starts, time.ends, "habitant", details={"objet": "Goûter"})
    opened = operations.book_slot(territory=code, wish=wish, requester=Requester(name="Alex", phone="0600000001"),
                                  viewer=ANONYMOUS, at=at)  # fmt: skip
    other = next(one.time for one in found if one.is_free and one.time.starts >= time.ends + timedelta(hours=3))
    link = {"lieu": other.place, "debut": other.starts.isoformat(), "fin": other.ends.isoformat()}
    return {
        "slot": opened.number, "slot_token": opened.token, "slot_day": first.isoformat(), "slot_link": urlencode(link),
    }  # fmt: skip


def _bill_families(code: str) -> None:
    """Bill a few families, one of them the crew's own; she is on her way to pay."""
    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.base.territory.queries import person_by_email
    from beffroi.base.territory.viewer import Viewer
    from beffroi.config.demo.bills import add_bills
    from beffroi.serve.payments import operations, queries

    add_bills(code, resident_email="equipe@bourg.test", agent_email="equipe@bourg.test", at=now())
    person = person_by_email("equipe@bourg.test")
    assert person is not None
    viewer = Viewer(person.id)
    owed = next(one for one in queries.own_bills(viewer, code) if one.due_cents)
    token = operations.start_payment(viewer, code, owed.id, at=now()).token
    walked = settings.DATA_DIR / "walked.json"
    known = json.loads(walked.read_text()) | {"payment": token, "operation": operations.attempt_of(token).operation}
    walked.write_text(json.dumps(known))


def _rent_out(code: str) -> None:
    """A landlord's software sends a building and its lots."""
    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.sense.twin.stock.operations import send_table

    software = Viewer(None, (Grant(code, Role.AGENT),), frozenset({"stock", "stock:552046484"}))
    building = {"batiment_ref": "B1", "adresse": "12 avenue de l’Église", "longitude": 3.87, "latitude": 43.6}
    send_table(software, "batiments", [building], mode="merge", at=now())
    lot = {"lot_ref": "L1", "batiment_ref": "B1", "usage": "logement", "occupation": "vacant"}
    send_table(software, "lots", [lot], mode="merge", at=now())


def _ask_by_procedures(code: str, person: int) -> None:
    """Order a bin, certify a sewer connection, leave a form half filled in; note where they are."""
    from datetime import timedelta

    from django.conf import settings

    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
    from beffroi.config.demo.procedures import add_people
    from beffroi.serve.cases.definition import Requester
    from beffroi.serve.procedures import operations, passages, queries
    from faces.portal.small_town import SOUTH, WEST

    at, agent = now(), Viewer(None, (Grant(code, Role.AGENT, frozenset(SERVICES)),))
    home = {"demande": "premier", "flux": "tri", "adresse": "12 Grande Rue", "logement": "maison", "personnes": 4}
    who = Requester(person, "Camille Rivebelle")
    asked = operations.file_request(territory=code, use_case="6-06", answers=home, requester=who, at=at)
    operations.ask_piece(number=asked.number, code="autre", label="Bail ou facture", by=agent, at=at)
    building = {"adresse": "3 Rue du Beffroi", "nature": "maison", "fosse": "non", "qualite": "proprietaire",
                "motif": "savoir", "contact": "Moi"}  # fmt: skip
    certified = operations.file_request(territory=code, use_case="1-25", answers=building, requester=who, at=at)
    found = {"controle": f"{at:%Y-%m-%d}", "essai": "colorant", "eaux-usees": "toutes", "eaux-pluviales": "separees",
             "fosse-vue": "aucune", "conclusion": "conforme"}  # fmt: skip
    operations.record_findings(number=certified.number, findings=found, by=agent, at=at)
    certificate = operations.decide(number=certified.number, decision="remettre", by=agent, at=at)
    draft = operations.begin_draft(territory=code, use_case="6-06", viewer=ANONYMOUS, at=at).key
    typed = {"demande": ["premier"], "flux": ["tri"]}
    operations.keep_step(draft, territory=code, step="demande", typed=typed, viewer=ANONYMOUS, at=at)
    add_people(code, [(WEST + 0.009, SOUTH + 0.0096, "12 Grande Rue")], at)
    away = {"depart": f"{at:%Y-%m-%d}", "retour": f"{at + timedelta(days=9):%Y-%m-%d}", "qui": "voisin",
            "adresse": home["adresse"], "logement": "maison", "alarme": False, "entrer": False,
            "joindre": "06 00 00 00 00"}  # fmt: skip
    watched = operations.file_request(territory=code, use_case="2-18", answers=away, requester=who, at=at)
    noted = settings.DATA_DIR / "walked.json"
    known = json.loads(noted.read_text(encoding="utf-8"))
    known |= {"asked": asked.number, "asked_token": asked.token, "certified": certified.number}
    known |= {"neighbour": passages.link_token(queries.request(agent, watched.number))}
    noted.write_text(json.dumps(known | {"certificate": certificate, "draft": draft}), encoding="utf-8")


def _counts() -> str:
    """One street counted by hour, in the morning and in the evening."""
    flows = {6: 80, 7: 310, 8: 620, 9: 400, 12: 350, 16: 380, 17: 590, 18: 420}
    lines = ["id,voie,type_jour,heure,vehicules,capacite,jours_comptes,debut,fin,lon,lat"]
    rows = "h{},Grande Rue,Jour ouvré,{},{},900,5,2026-02-02,2026-02-06,3.0081,45.0110"
    return "\n".join([*lines, *(rows.format(hour, hour, flow) for hour, flow in flows.items())]) + "\n"


def _lots() -> str:
    """A building of three uses, one lot of it vacant."""
    head = "idlocal;annee;idcom;dteloc;typeact;slocal;dniv;ccthp;rnb_id;adresse;longitude;latitude"
    rows = (("1", "2", "", "55", "V"), ("2", "4", "MAG1", "25", ""), ("3", "4", "BUR1", "20", ""))
    told = "00000000000{};2025;00001;{};{};{};1;{};AAAABBBBCCCC;12 Grande Rue;3.0081;45.0095"
    return "\n".join([head, *(told.format(*row) for row in rows)]) + "\n"


def _networks() -> str:
    """Gas and water under one street, one of them deeper and less well known."""
    told = {"exploitant": "Régie", "voie": "Grande Rue", "flexible": False, "sensible": False}
    rows = [
        ({"id": "G1", "reseau": "gaz", "profondeur_m": 0.9, "classe": "A", **told, "sensible": True}, 45.00952),
        ({"id": "E1", "reseau": "eau", "profondeur_m": 1.2, "classe": "C", **told}, 45.0095),
    ]
    features = [
        {"type": "Feature", "properties": one,
         "geometry": {"type": "LineString", "coordinates": [[3.007, lat], [3.009, lat]]}}
        for one, lat in rows
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features})


def _chargers() -> str:
    """The stations of the example of 8-08."""
    from beffroi.base.catalogue import queries

    return str(queries.catalogue().use_cases["8-08"].examples[0].when["source"])


def _example(use_case: str, key: str) -> str:
    """A source of the first example of a use case, told to be of this town."""
    from beffroi.base.catalogue import queries
    from faces.portal.small_town import CODE

    return str(queries.catalogue().use_cases[use_case].examples[0].when[key]).replace(";00000;", f";{CODE};")


def _acts() -> str:
    """The source of the first example of the directory of acts: the columns of the national schema."""
    from beffroi.base.catalogue import queries

    return str(queries.catalogue().use_cases["6-02"].examples[0].when["source"])


def _lamps() -> str:
    """Three lamps of one street, one too cold and one that goes out."""
    head = "id_pl;voie;source;puissance_w;temperature_de_couleur_k;flux_lm;hauteur_m;extinction;date_de_pose;lon;lat"
    rows = (
        f"PL{n};Grande Rue;LED;{30 + n};{2700 + 650 * n};4000;6;{out};2021-05-04;{3.008 + n / 2500:.4f};45.0095"
        for n, out in enumerate(("Aucune", "23h30-5h30", "Aucune"))
    )
    return "\n".join([head, *rows]) + "\n"


def _light_otherwise(code: str) -> None:
    """Keep a scenario of lighting, the first, that puts out and adds."""
    from decimal import Decimal

    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.sense.twin.lighting import operations
    from beffroi.sense.twin.lighting.actions import Action

    agent, at = Viewer(None, (Grant(code, Role.AGENT),)), now()
    number = operations.keep_scenario(
        agent, code, title="Cœur de nuit", price_eur=Decimal("0.2"), price_source="", at=at
    )
    operations.add_action(agent, code, number, Action("off", start=1380, end=300), at=at)
    bench = Action("add", what="bench", lon=3.009, lat=45.0095, height_m=3, power_w=9, flux_lm=900, kelvin=2700)
    operations.add_action(agent, code, number, bench, at=at)


def _feel(code: str) -> None:
    """Give the town sensors, with two days of readings."""
    from beffroi.base.kernel.time import now
    from beffroi.config.demo.sensors import add_sensors

    add_sensors(code, places=[(3.008 + rank / 1000, 45.009, "Grande Rue") for rank in range(4)], at=now(), days=2)


def _water() -> str:
    """Half a metre of water over the first houses."""
    from city_models import square
    from faces.portal.small_town import SOUTH, WEST

    told = {"id_zone": "1", "typ_inond": "01", "scenario": "01For", "ht_min": 0.0, "ht_max": 0.5}
    shape = square(WEST + 0.0074, SOUTH + 0.0084, 150).__geo_interface__
    return json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": told, "geometry": shape}]}
    )


def _work_in_the_streets(code: str) -> None:
    """Announce works and compute a round, so that their sheets have something to show: both are the first."""
    from datetime import timedelta

    from beffroi.base.kernel.time import now
    from beffroi.sense.mobility.rounds import operations as rounds
    from beffroi.sense.mobility.rounds.plan import Plan, Site, Stop, Vehicle
    from beffroi.sense.mobility.works import operations as works
    from beffroi.sense.mobility.works import queries
    from beffroi.sense.mobility.works.plan import Phase, Scenario
    from sense.mobility.town_graph import NORTH, WEST

    at = now()
    phase = Phase(first=at.date(), last=at.date() + timedelta(days=9), who=("lorry",),
                  stretches=tuple(queries.stretches_of(code, "rue AC")))  # fmt: skip
    number = works.describe_works(territory=code, service="voirie", title="Réseau de chaleur", description="", by=None,
                                  scenarios=[Scenario(title="Seul", phases=(phase,))], at=at)  # fmt: skip
    works.compute_now(number, at=at)
    works.publish_works(None, code, number, scenario=0, at=at)
    # The second: a direction proposed.
    turned = phase.model_copy(update={"who": ("car",), "direction": "south", "contraflow": True})
    number = works.describe_works(territory=code, service="voirie", title="Sens unique rue AC", description="", by=None,
                                  scenarios=[Scenario(title="Vers le sud", phases=(turned,))], at=at)  # fmt: skip
    works.compute_now(number, at=at)
    works.publish_works(None, code, number, scenario=0, at=at)
    van = Vehicle(name="Fourgon", profile="fourgon", start_s=21_600, end_s=43_200,
                  depot=Site(name="Dépôt", lon=WEST, lat=NORTH))  # fmt: skip
    stop = Stop(id="1", name="Rue CD", lon=WEST + 0.0004, lat=NORTH - 0.00036, vehicle="Fourgon", rank=1)
    asked = rounds.ask_round(territory=code, service="voirie", title="Bacs", day=at.date(), plan=Plan(vehicles=(van,)),
                             stops=[stop], by=None, at=at)  # fmt: skip
    rounds.compute_now(asked, at=at)


def _go_out(code: str) -> None:
    """Note a need and compute the round that goes there: the first of each."""
    from beffroi.base.kernel.time import now
    from beffroi.base.territory.viewer import Grant, Role, Viewer
    from beffroi.sense.mobility.rounds import needs, operations
    from beffroi.sense.mobility.rounds.plan import Plan, Site, Stop, Vehicle
    from sense.mobility.town_graph import NORTH, WEST

    at, agent = now(), Viewer(None, (Grant(code, Role.AGENT, frozenset({"solidarites"})),))
    place = Site(name="Sous le porche", lon=WEST + 0.0004, lat=NORTH - 0.00036)
    need = needs.note_need(agent, code, "4-10", place=place, words="Une tente.", urgency=2, usual=False, at=at)
    team = Vehicle(name="Équipe", profile="a-pied", start_s=72_000, end_s=90_000, depot=place)
    stop = Stop(id="1", name=place.name, lon=place.lon, lat=place.lat, source=needs.source_of(need))
    asked = operations.ask_round(territory=code, service="solidarites", title="Maraude", day=at.date(), stops=[stop],
                                 plan=Plan(vehicles=(team,), teams=True), by=None, at=at, use_case="4-10")  # fmt: skip
    operations.compute_now(asked, at=at)


def _file_reports() -> None:
    """File a few reports, so that pages have something to show: one closed, one that nobody may know of."""
    from datetime import timedelta

    from django.conf import settings
    from django.utils import timezone

    from beffroi.base.territory.viewer import ANONYMOUS, Grant, Role, Viewer
    from beffroi.lake import queries
    from beffroi.lake.queries import DatasetRef
    from beffroi.serve.cases import operations as cases
    from beffroi.serve.cases.definition import Outcome
    from beffroi.serve.reports.operations import close_report
    from faces.portal.small_town import CODE, SOUTH, WEST
    from serve_makers import file_in_town, photo

    now = timezone.now()
    agent = Viewer(None, (Grant(CODE, Role.AGENT, frozenset(SERVICES)),))
    filed = [
        file_in_town(
            CODE, category, lon=WEST + 0.009 + 0.0004 * n, lat=SOUTH + 0.0096, at=now - timedelta(days=n), **more
        )
        for n, (category, more) in enumerate(
            (
                ("depot-sauvage", {"photos": (photo(size=(640, 480)),), "address": "12 Grande Rue"}),
                ("nid-de-poule", {"description": "Un trou profond.", "address": "3 Rue du Beffroi"}),
                ("insalubrite", {"description": "Plafond effondré.", "details": {"desordres": "structure"}}),
            )
        )
    ]
    (tree,) = queries.features(ANONYMOUS, DatasetRef(CODE, "arbres"), limit=1).features
    # Numbers and tokens are drawn: those who walk the pages read here where the first report and the first tree are.
    walked = {"number": filed[0].number, "token": filed[0].token, "thing": json.loads(tree)["id"]}
    (settings.DATA_DIR / "walked.json").write_text(json.dumps(walked), encoding="utf-8")
    cases.accept_case(number=filed[0].number, by=agent, at=now)
    close_report(number=filed[1].number, outcome=Outcome.DONE, reason="Le trou est bouché.", by=agent, at=now)


def _plan_the_day() -> None:
    """Give the crew its day: two orders, one visit to prove."""
    from datetime import time, timedelta

    from django.utils import timezone

    from beffroi.serve.reports.operations import PlannedPlace, Submission, add_contract, order_directly
    from faces.portal.small_town import CODE, SOUTH, WEST
    from serve_makers import agent_of

    now, today, roads = timezone.now(), timezone.localdate(), agent_of("voirie", town=CODE)
    for title in ("Redresser le panneau", "Reboucher le trou"):
        submission = Submission("intervention-voirie", WEST + 0.009, SOUTH + 0.0096, "Deux sacs.", "3 Rue du Beffroi")
        order_directly(
            territory=CODE, submission=submission, title=title, crew="Équipe nord", planned_on=today, by=roads, at=now
        )
    add_contract(
        territory=CODE, service="voirie", name="Sanisettes", provider="Propre et Net", starts_on=today,
        ends_on=today + timedelta(days=30), by=roads, at=now,
        places=[PlannedPlace("Gare", WEST + 0.009, SOUTH + 0.0096, "1234567", time(0), time(23, 59))],
    )  # fmt: skip


if __name__ == "__main__":
    furnish(sys.argv[1])
