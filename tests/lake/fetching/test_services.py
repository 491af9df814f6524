"""Services read whole, page by page, from a real server that speaks their protocols and fails as they do."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beffroi.base.kernel import outside
from beffroi.base.kernel.outside import InsideAddress
from beffroi.lake.connected.addresses import Address, BadSource, Credential, checked_address, way_out
from beffroi.lake.declared import SERVICES, FetchOptions
from beffroi.lake.definitions import Definition
from beffroi.lake.fetching import NotFetched
from beffroi.lake.refreshing import fetch_all
from beffroi.lake.services.reading import KINDS, Brought, bring, kind_of
from beffroi.lake.services.way import Bounds, LayerNeeded, Way
from lake.fetching.protocols import TREES, Site, speaking


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with speaking() as site:
        yield site


@pytest.fixture
def site(served: Site, settings: Any) -> Site:
    """The server, as if nobody had asked it anything, which the installation lets sources read."""
    settings.INNER_HOSTS = [f"127.0.0.1:{served.port}"]
    served.asked.clear()
    served.faults.clear()
    served.files.clear()
    served.trees, served.stuck = TREES, False
    return served


OPEN, WIDE = Credential(), Bounds()


def read(
    site: Site, path: str, folder: Path, *, layer: str = "", key: Credential = OPEN, bounds: Bounds = WIDE,
    waited: list[float] | None = None,
) -> Brought:  # fmt: skip
    address = checked_address(site.url + path, "", layer)
    way = Way(folder, way_out(address, key), list[float]().append if waited is None else waited.append, bounds)
    return bring(address.kind, address.url, address.layer, way, name="arbres")


def numbers(found: Brought) -> list[int]:
    """Return the numbers of the trees read, whatever the form of the file."""
    text = found.path.read_text(encoding="utf-8")
    if found.path.suffix == ".geojson":
        return [one["properties"]["numero"] for one in json.loads(text)["features"]]
    return [json.loads(line)["numero"] for line in text.splitlines()]


PAGED = [
    ("/wfs?service=WFS", "ville:arbres", 4, ".geojson"),
    ("/ogc/collections/arbres", "", 3, ".geojson"),
    ("/ogc/collections", "", 4, ".geojson"),
    ("/arcgis/rest/services/ville/FeatureServer/0", "", 4, ".geojson"),
    ("/fr/dataset/arbres-de-la-ville", "r-1", 4, ".jsonl"),
]


@pytest.mark.parametrize(("path", "layer", "questions", "suffix"), PAGED)
def test_every_page_comes_once_and_in_order(
    site: Site, tmp_path: Path, path: str, layer: str, questions: int, suffix: str
) -> None:
    found = read(site, path, tmp_path, layer=layer)
    assert (found.rows, found.path.suffix, found.changed) == (TREES, suffix, True)
    assert numbers(found) == list(range(TREES))
    assert len(site.asked) == questions
    assert not read(site, path, tmp_path, layer=layer).changed, "the same rows are no news"
    site.trees = 12
    assert read(site, path, tmp_path, layer=layer).changed
    assert len(list((tmp_path / "pages").glob("?????"))) <= questions - 1, "no page of the longer reading is left"


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/wfs?service=WFS", ["ville:arbres", "ville:bancs"]),
        ("/arcgis/rest/services/ville/FeatureServer", ["0", "1"]),
        ("/dataset/arbres", ["r-1", "r-2"]),
    ],
)
def test_a_service_of_several_layers_says_which(site: Site, tmp_path: Path, path: str, names: list[str]) -> None:
    with pytest.raises(LayerNeeded) as asked:
        read(site, path, tmp_path)
    assert [one.name for one in asked.value.layers] == names


def test_a_portal_gives_a_file_where_it_holds_no_table(site: Site, tmp_path: Path) -> None:
    site.files["/arbres.csv"] = (200, {}, b"numero\n1\n")
    assert read(site, "/dataset/arbres/resource/r-2", tmp_path).path.name == "arbres.csv"
    found = read(site, "/explore/dataset/arbres/information/", tmp_path)
    assert (found.path.name, numbers(found)) == ("arbres.geojson", list(range(TREES)))
    assert "/exports/geojson" in site.asked[-1][0]


def test_the_last_measure_of_each_sensor_is_a_row(site: Site, tmp_path: Path) -> None:
    found = json.loads(read(site, "/sta/v1.1", tmp_path).path.read_text(encoding="utf-8"))["features"]
    assert [one["properties"]["mesure"] for one in found] == ["Température", "Humidité"]
    assert found[0]["properties"]["valeur"] == 21
    assert found[0]["geometry"]["coordinates"] == [3.0, 45.0]
    rows = read(site, "/sta/v1.1/Datastreams(1)/Observations", tmp_path / "other").path.read_text(encoding="utf-8")
    assert json.loads(rows) == {"date": "2026-03-01T11:00:00Z", "valeur": 12.5}


def test_dates_of_arcgis_are_dates(site: Site, tmp_path: Path) -> None:
    found = read(site, "/arcgis/rest/services/ville/FeatureServer/0", tmp_path, bounds=Bounds(most_rows=1))
    assert json.loads(found.path.read_text())["features"][0]["properties"]["vu_le"] == "2026-01-01T00:00:00+00:00"


def test_a_server_that_asks_to_wait_is_waited_for_and_one_that_cuts_is_asked_again(site: Site, tmp_path: Path) -> None:
    waited: list[float] = []
    site.faults = {2: (429, {"Retry-After": "7"}, b""), 4: (0, {}, b'{"type": "Feat')}
    assert numbers(read(site, "/ogc/collections/arbres", tmp_path, waited=waited)) == list(range(TREES))
    assert waited[0] == 7.0
    assert waited[1:] == [1.0]


def test_a_page_that_never_comes_leaves_what_was_there(site: Site, tmp_path: Path) -> None:
    before = read(site, "/ogc/collections/arbres", tmp_path).path.read_bytes()
    site.faults = {len(site.asked) + 2: (500, {}, b"")}
    site.trees = TREES - 5
    with pytest.raises(NotFetched, match="500"):
        read(site, "/ogc/collections/arbres", tmp_path)
    assert (tmp_path / "arbres.geojson").read_bytes() == before


@pytest.mark.parametrize(
    ("path", "layer", "said"),
    [
        ("/wfs?service=WFS", "ville:rien", "Feature type ville:rien unknown"),
        ("/arcgis/rest/services/ville/FeatureServer/9", "", "400 Invalid layer"),
        ("/explore/dataset/rien/", "", "404"),
        ("/dataset/arbres/", "", "2 couches"),
        ("/ogc/collections/arbres?f=html", "", "ne répond pas en JSON"),
    ],
)
def test_what_a_service_refuses_is_told_in_its_words(
    site: Site, tmp_path: Path, path: str, layer: str, said: str
) -> None:
    site.files["/ogc/collections/arbres/items"] = (200, {}, b"<html>Bonjour</html>")
    with pytest.raises(NotFetched, match=said):
        read(site, path, tmp_path, layer=layer)


def test_a_service_that_does_not_turn_its_pages_is_stopped(site: Site, tmp_path: Path) -> None:
    site.stuck = True
    with pytest.raises(NotFetched, match="toujours la même page"):
        read(site, "/wfs?service=WFS", tmp_path, layer="ville:arbres")


def test_what_is_too_large_or_too_long_is_stopped(site: Site, tmp_path: Path) -> None:
    site.files["/bombe.csv.gz"] = (200, {}, gzip.compress(bytes(3 << 20)))
    with pytest.raises(NotFetched, match="trop grande"):
        read(site, "/bombe.csv.gz", tmp_path, bounds=Bounds(most_bytes=1 << 20))
    site.files["/gros.csv"] = (200, {}, bytes(2 << 20))
    with pytest.raises(NotFetched, match="plus de 1 Mo"):
        read(site, "/gros.csv", tmp_path, bounds=Bounds(most_bytes=1 << 20))
    with pytest.raises(NotFetched, match="secondes"):
        read(site, "/ogc/collections/arbres", tmp_path, bounds=Bounds(most_s=0.0))


def test_a_file_that_did_not_change_costs_one_question(site: Site, tmp_path: Path) -> None:
    site.files["/a.csv"] = (200, {"ETag": '"1"'}, b"numero\n1\n")
    assert read(site, "/a.csv", tmp_path).changed
    site.files["/a.csv"] = (304, {"ETag": '"1"'}, b"")
    assert not read(site, "/a.csv", tmp_path).changed
    assert site.asked[-1][1]["If-None-Match"] == '"1"'


# --- Secrets ---------------------------------------------------------------------------------------------------------

SECRET = "s3cr3t-de-la-regie"


@pytest.mark.parametrize(
    ("key", "header", "value"),
    [
        (Credential("bearer", "", SECRET), "Authorization", f"Bearer {SECRET}"),
        (Credential("basic", "sig", SECRET), "Authorization", "Basic c2lnOnMzY3IzdC1kZS1sYS1yZWdpZQ=="),
        (Credential("header", "X-Api-Key", SECRET), "X-Api-Key", SECRET),
    ],
)
def test_a_secret_is_told_to_every_page_and_to_no_other_site(
    site: Site, tmp_path: Path, key: Credential, header: str, value: str, settings: Any
) -> None:
    read(site, "/ogc/collections/arbres", tmp_path, key=key)
    assert [headers.get(header) for _path, headers in site.asked] == [value] * 3
    with speaking() as other:
        settings.INNER_HOSTS = [*settings.INNER_HOSTS, f"127.0.0.1:{other.port}"]
        other.files["/a.csv"] = (200, {}, b"numero\n1\n")
        site.files["/a.csv"] = (302, {"Location": f"{other.url}/a.csv"}, b"")
        site.files["/b.csv"] = (302, {"Location": "/c.csv"}, b"")
        site.files["/c.csv"] = (200, {}, b"numero\n1\n")
        read(site, "/a.csv", tmp_path / "a", key=key)
        assert SECRET not in str(other.asked)
        assert header not in other.asked[0][1]
        read(site, "/b.csv", tmp_path / "b", key=key)
        assert site.asked[-1][1][header] == value, "the same site is told again"


def test_a_secret_in_the_question_is_in_no_note_nor_fault_and_follows_no_redirection(
    site: Site, tmp_path: Path, settings: Any
) -> None:
    key = Credential("query", "apikey", SECRET)
    read(site, "/ogc/collections/arbres", tmp_path, key=key)
    assert all(f"apikey={SECRET}" in path for path, _headers in site.asked)
    assert SECRET not in "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert SECRET not in repr(key)
    site.files["/a.csv"] = (403, {}, b"")
    with pytest.raises(NotFetched) as refused:
        read(site, "/a.csv", tmp_path, key=key)
    assert SECRET not in str(refused.value)
    with speaking() as other:
        settings.INNER_HOSTS = [*settings.INNER_HOSTS, f"127.0.0.1:{other.port}"]
        site.files["/a.csv"] = (302, {"Location": f"{other.url}/a.csv?apikey={SECRET}"}, b"")
        with pytest.raises(InsideAddress):
            read(site, "/a.csv", tmp_path, key=key)
        assert other.asked == []


# --- The guard -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0",  # noqa: S104
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "255.255.255.255", "2130706433", "0x7f000001",
    "0177.0.0.1", "127.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[fe80::1]",
    "[fd00:ec2::254]", "[ff02::1]", "[64:ff9b::169.254.169.254]", "[2002:7f00:1::]", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE)
def test_no_way_leads_inside(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was reached"))
    address = Address(f"http://{host}/a.csv", "file")
    way = Way(tmp_path, way_out(address, Credential()), lambda _s: None, Bounds(most_tries=1))
    with pytest.raises(InsideAddress):
        bring("file", address.url, "", way, name="a")
    assert site.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1:1", "[::1]:{port}", "localhost:{port}", "2130706433:{port}"])
def test_a_redirection_is_checked_as_the_first_question(site: Site, tmp_path: Path, host: str) -> None:
    site.files["/a.csv"] = (302, {"Location": f"http://{host.format(port=site.port)}/b.csv"}, b"")
    site.files["/b.csv"] = (200, {}, b"numero\n1\n")
    with pytest.raises(InsideAddress):
        read(site, "/a.csv", tmp_path)
    assert len(site.asked) == 1


@pytest.mark.parametrize("to", ["ftp://exemple.fr/x", "file:///etc/passwd", "data:text/csv,a", "gopher://exemple.fr/"])
def test_a_redirection_leads_to_the_web_alone(site: Site, tmp_path: Path, to: str) -> None:
    site.files["/a.csv"] = (302, {"Location": to}, b"")
    with pytest.raises((InsideAddress, NotFetched)):
        read(site, "/a.csv", tmp_path)


def test_a_name_with_one_inside_address_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("1.1.1.1", 443), ("10.0.0.7", 443)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", one) for one in answers])
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was reached"))
    with pytest.raises(InsideAddress):
        outside.reached("piege.exemple", 443, allowed=outside.public_only, timeout_s=1)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    # A name that changes its mind: public when it is checked, inside a moment later.
    answers, reached = [["1.1.1.1"], ["127.0.0.1"]], list[str]()
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, port, **_: [(2, 1, 6, "", (one, port)) for one in answers.pop(0)]
    )
    monkeypatch.setattr(socket, "create_connection", lambda at, **_: reached.append(at[0]))
    outside.reached("change.exemple", 443, allowed=outside.public_only, timeout_s=1)
    assert reached == ["1.1.1.1"]
    assert len(answers) == 1, "resolved once"


def test_an_inner_name_that_is_allowed_still_leads_to_no_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = outside.public_or(["sig.mairie.lan"])
    found = ["10.0.0.5"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (found[0], 80))])
    assert outside.checked_addresses("sig.mairie.lan", 80, allowed=allowed) == ["10.0.0.5"]
    with pytest.raises(InsideAddress):
        outside.checked_addresses("autre.mairie.lan", 80, allowed=allowed)
    found[0] = "169.254.169.254"
    with pytest.raises(InsideAddress):
        outside.checked_addresses("sig.mairie.lan", 80, allowed=allowed)


@pytest.mark.parametrize(
    "url",
    [
        "", "arbres.csv", "ftp://exemple.fr/a", "file:///etc/passwd", "https://a:b@exemple.fr/", "http://exemple.fr:22/",
        "https://exemple.fr:x/", "https://exemple.fr/?apikey=1", "https://exemple.fr/?Token=1", "javascript:alert(1)",
        "https://exemple.fr/{commune.__class__}", "https:///x", "https://exemple.fr/" + "x" * 2_001,
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_kept_is_told(url: str) -> None:
    with pytest.raises(BadSource):
        checked_address(url, "", "")


def test_the_kind_is_recognised_and_a_dataset_file_may_say_it(site: Site, tmp_path: Path) -> None:
    assert set(KINDS) == set(SERVICES)
    told = {
        "https://a.fr/arcgis/rest/services/x/FeatureServer/3": "arcgis",
        "https://a.fr/explore/dataset/x/table/": "opendatasoft", "https://a.fr/fr/dataset/x": "ckan",
        "https://a.fr/ogc/collections/x/items": "oapif", "https://a.fr/FROST-Server/v1.1": "sensorthings",
        "https://a.fr/ows?SERVICE=WFS&x=1": "wfs", "https://a.fr/v1.1/arbres.csv": "file",
    }  # fmt: skip
    assert {url: kind_of(url) for url in told} == told
    # What the form writes is what a dataset file says: the command that brings a commune reads it too.
    options = FetchOptions(f"{site.url}/ogc/collections/arbres", "arbres.geojson", service="oapif")
    (first,) = fetch_all([Definition("arbres", fetch=options)], "34172", folder=tmp_path, wait=lambda _s: None)
    assert first.path == tmp_path / "arbres.geojson"
    assert len(json.loads(first.path.read_text(encoding="utf-8"))["features"]) == TREES
