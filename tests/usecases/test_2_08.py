"""2-08: « CAP 1.2 in and out, severity/urgency/certainty »."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from alert_makers import PAGE, agent, alert_values, heard, sent_alert
from beffroi.base.kernel.time import now
from beffroi.serve.alerts import cap_feeds
from beffroi.serve.alerts.cap_checks import BadCap, check, parsed
from beffroi.serve.alerts.cap_reading import read_message
from beffroi.serve.alerts.models import Received
from serve_makers import LAT, LON
from territory_makers import TOWN

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
INSEE = "<geocode><valueName>INSEE</valueName><value>34172</value></geocode>"
GRAVE = {"topic": "crue", "title": "Crue du Lez", "text": "Le Lez déborde.", "instruction": "Montez à l’étage.",
         "severity": "Severe", "urgency": "Immediate", "certainty": "Observed",
         "title_en": "Flood", "text_en": "The river Lez is flooding.", "instruction_en": "Go upstairs."}  # fmt: skip


def document(path: str, client: Client) -> Any:
    answer = client.get(path)
    assert answer["Content-Type"] == "application/cap+xml; charset=utf-8"
    root = parsed(answer.content)
    check(root)
    return root


@pytest.mark.django_db
def test_an_alert_its_update_and_its_end_are_cap_messages_that_name_one_another(
    alert_town: str, client: Client
) -> None:
    author, _me = agent()
    second, _other = agent()
    number = sent_alert(author, **alert_values(**GRAVE))
    assert client.get(f"/cap/{number}.1.xml").status_code == 404
    # Not she who wrote it: another.
    author.post(f"{PAGE}{number}/approuver/")
    heard(at=now() + timedelta(minutes=1))
    assert client.get(f"/alertes/{number}/").status_code == 404
    second.post(f"{PAGE}{number}/approuver/")
    heard(at=now() + timedelta(minutes=2))
    first = document(f"/cap/{number}.1.xml", client)
    assert [first.findtext(f"{CAP}{name}") for name in ("status", "msgType", "scope")] == ["Actual", "Alert", "Public"]
    french, english = first.findall(f"{CAP}info")
    words = [french.findtext(f"{CAP}{name}") for name in ("category", "severity", "urgency", "certainty", "headline")]
    assert words == ["Met", "Severe", "Immediate", "Observed", "Crue du Lez"]
    assert english.findtext(f"{CAP}headline") == "Flood"
    area = french.find(f"{CAP}area")
    assert area.findtext(f"{CAP}geocode/{CAP}value") == alert_town
    read = read_message(first, territory=alert_town)
    assert read is not None
    assert (read.concerns, read.zone.contains(read.zone.centroid)) == (True, True)
    shown = client.get(f"/alertes/{number}/").content.decode()
    for told in ("Grave", "Agir tout de suite", "Constaté"):
        assert told in shown

    author.post(f"{PAGE}{number}/modifier/", alert_values(**GRAVE | {"title": "Crue du Lez, pont fermé"}))
    assert "Crue du Lez, pont fermé" not in client.get("/alertes/").content.decode(), "not before it has left"
    author.post(f"{PAGE}{number}/envoyer/")
    second.post(f"{PAGE}{number}/approuver/")
    heard(at=now() + timedelta(minutes=3))
    author.post(f"{PAGE}{number}/annuler/", {"reason": "Mauvais seuil."})
    update, cancel = (document(f"/cap/{number}.{rank}.xml", client) for rank in (2, 3))
    assert [one.findtext(f"{CAP}msgType") for one in (update, cancel)] == ["Update", "Cancel"]
    reference = ",".join(str(first.findtext(f"{CAP}{name}")) for name in ("sender", "identifier", "sent"))
    assert update.findtext(f"{CAP}references") == reference
    assert str(cancel.findtext(f"{CAP}references")).startswith(f"{reference} ")
    index = ElementTree.fromstring(client.get("/cap/").content)
    found = index.iter("{http://www.w3.org/2005/Atom}link")
    links = [one.get("href", "") for one in found if "cap" in one.get("type", "")]
    assert sorted(one.rpartition("/")[2] for one in links) == [f"{number}.{rank}.xml" for rank in (1, 2, 3)]


# --- The alerts of other authorities ----------------------------------------------------------------------------------


def other(identifier: str, **changes: str) -> str:
    """Return a CAP message of a service of floods; `changes` are by element."""
    at = now()
    values = {
        "sent": f"{at - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}+00:00", "msgType": "Alert", "status": "Actual",
        "references": "", "expires": f"{at + timedelta(hours=6):%Y-%m-%dT%H:%M:%S}+00:00", "severity": "Extreme",
        "headline": f"Crue {identifier}",
        "area": f"<circle>{LAT},{LON} 2.5</circle>",
    } | changes  # fmt: skip
    references = f"<references>{values['references']}</references>" if values["references"] else ""
    return f"""<?xml version="1.0" encoding="utf-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{identifier}</identifier><sender>vigicrues@exemple.fr</sender><sent>{values["sent"]}</sent>
  <status>{values["status"]}</status><msgType>{values["msgType"]}</msgType><scope>Public</scope>{references}
  <info><language>fr-FR</language><category>Met</category><event>Crue</event><urgency>Expected</urgency>
  <severity>{values["severity"]}</severity><certainty>Likely</certainty><expires>{values["expires"]}</expires>
  <headline>{values["headline"]}</headline><description>Le niveau monte.</description>
  <area><areaDesc>Bassin du Lez</areaDesc>{values["area"]}</area></info>
</alert>"""


class Authority(ThreadingHTTPServer):
    """A service that gives an index and its messages."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        super().__init__(("127.0.0.1", 0), _Answer)

    def index(self) -> str:
        entries = "".join(
            f'<entry><link type="application/cap+xml" href="/m/{name}"/></entry>' for name in self.messages
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


class _Answer(BaseHTTPRequestHandler):
    server: Authority

    def do_GET(self) -> None:
        name = self.path.removeprefix("/m/")
        body = (self.server.index() if self.path == "/cap.atom" else self.server.messages.get(name, "")).encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def authority(alert_town: str, settings: Any) -> Iterator[Authority]:
    server = Authority()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    settings.INNER_HOSTS = (f"127.0.0.1:{server.server_port}",)
    folder = Path(settings.DATA_DIR) / "cap"
    folder.mkdir()
    (folder / "vigicrues.toml").write_text(
        f'territory = "{alert_town}"\ntitle = "Vigicrues"\n'
        f'address = "http://127.0.0.1:{server.server_port}/cap.atom"\nevery_s = 60\n'
    )
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.django_db
def test_the_alerts_of_another_authority_are_read_shown_with_their_source_and_replaced(
    authority: Authority, client: Client
) -> None:
    at = now()
    authority.messages = {
        "un": other("v.1"),
        "loin": other("v.2", area="<circle>48.85,2.35 5</circle>"),
        "code": other("v.3", area=INSEE, severity="Minor"),
        "essai": other("v.4", status="Test"),
        "casse": other("v.5", severity="Terrible"),
    }
    assert cap_feeds.poll(at) == 2
    assert cap_feeds.poll(at + timedelta(seconds=30)) == 0, "not before its turn"
    for path in ("/alertes/", "/ecran/"):
        page = client.get(path).content.decode()
        assert page.count("Source : Vigicrues") == 2
        assert page.index("Crue v.1") < page.index("Crue v.3"), "the gravest first"
        assert "v.2" not in page
        assert "v.4" not in page
    # Never as the town's own: neither in its feed nor in its CAP index.
    assert b"Crue" not in client.get("/feeds/alertes.atom").content + client.get("/cap/").content
    author, _me = agent()
    desk = author.get(PAGE).content.decode()
    assert "alert/info/severity" in desk, "an agent reads which message could not be kept, and why"

    reference = "vigicrues@exemple.fr,v.1,2026-01-01T00:00:00+00:00"
    authority.messages["deux"] = other("v.6", msgType="Update", references=reference, headline="La crue baisse")
    # Somebody else does not speak for it.
    stranger = other("x.1", msgType="Cancel", references=reference.replace("v.1", "v.3")).replace(
        "vigicrues@", "autre@"
    )
    authority.messages["autre"] = stranger
    assert cap_feeds.poll(at + timedelta(seconds=61)) == 1
    page = client.get("/alertes/").content.decode()
    assert "La crue baisse" in page
    assert "Crue v.1" not in page
    assert "Crue v.3" in page
    authority.messages["trois"] = other("v.7", msgType="Cancel", references=reference.replace("v.1", "v.6"))
    cap_feeds.poll(at + timedelta(seconds=122))
    assert "La crue baisse" not in client.get("/alertes/").content.decode()
    # What it cites comes after it: it is over all the same.
    authority.messages["tot"] = other("v.9", msgType="Cancel", references=reference.replace("v.1", "v.8"))
    cap_feeds.poll(at + timedelta(seconds=183))
    authority.messages["tard"] = other("v.8")
    assert cap_feeds.poll(at + timedelta(seconds=244)) == 0
    assert "Crue v.8" not in client.get("/alertes/").content.decode()


@pytest.mark.django_db
def test_a_feed_that_fails_changes_nothing_but_what_is_said_of_it(authority: Authority, settings: Any) -> None:
    at = now()
    authority.messages = {"un": other("v.1")}
    assert cap_feeds.poll(at) == 1
    # An address of the inside that the town has not named is never asked.
    settings.INNER_HOSTS = ()
    assert cap_feeds.poll(at + timedelta(minutes=2)) == 0
    (state,) = cap_feeds.states(TOWN)
    assert "public" in state.problem
    assert state.read_at == at
    assert Received.objects.filter(replaced_at=None).count() == 1


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("<scope>Public</scope>", "", "scope"),
        ("<event>Crue</event>", "", "event"),
        ("<status>Actual</status>", "<status>Vrai</status>", "status"),
        ("+00:00</expires>", "Z</expires>", "expires"),
        ("<identifier>v 1", "<identifier>v, 1", "identifier"),
        ("<headline>", "<bruit/><headline>", "bruit"),
        ("<category>Met</category><event>Crue</event>", "<event>Crue</event><category>Met</category>", "category"),
        ("</circle>", "</circle><circle>ici</circle>", "circle"),
        ("</areaDesc>", "</areaDesc><areaDesc>Deux</areaDesc>", "areaDesc"),
        ("cap:1.2", "cap:1.1", ""),
    ],
)
def test_what_is_no_cap_message_is_refused_and_the_element_named(old: str, new: str, where: str) -> None:
    text = other("v.1").replace("<identifier>v.1", "<identifier>v 1" if where == "identifier" else "<identifier>v.1")
    assert old in text
    with pytest.raises(BadCap) as refused:
        check(parsed(text.replace(old, new).encode()))
    assert where in str(refused.value.where)


@pytest.mark.parametrize("text", ["", "bonjour", "<a>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xml_is_refused(text: str) -> None:
    with pytest.raises(BadCap):
        parsed(text.encode())
