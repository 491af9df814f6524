"""A web site that speaks the protocols of open data as their servers do, page by page, with their ways of failing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TREES = 235
MOST = 100
"""The server gives fewer than it is asked for, as many do."""


def tree(number: int) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": number,
        "geometry": {"type": "Point", "coordinates": [3.0 + number / 1e5, 45.0]},
        "properties": {"numero": number, "essence": ("Tilleul", "Érable")[number % 2]},
    }


@dataclass
class Site:
    """What the site was asked, what it does wrong next, and what it serves beside its protocols."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    files: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    faults: dict[int, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """By rank of the question, from 1: what is answered instead. A status of 0 cuts the connection."""
    trees: int = TREES
    stuck: bool = False

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]


@contextmanager
def speaking() -> Iterator[Site]:
    """Serve on a port of this machine."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: Any) -> None: ...

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            wrong = site.faults.pop(len(site.asked)) if len(site.asked) in site.faults else None
            status, headers, body = wrong or _answer(site, self.path)
            cut = status == 0
            self.send_response(200 if cut else status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + (1_000 if cut else 0)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = cut

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args: Any) -> None:
            """Say nothing of who hangs up: a reading that is stopped does."""

    server = Server(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Answer = tuple[int, dict[str, str], bytes]


def _answer(site: Site, target: str) -> Answer:
    parts = urlsplit(target)
    if parts.path in site.files:
        return site.files[parts.path]
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    for start, protocol in PROTOCOLS.items():
        if parts.path.startswith(start):
            said = protocol(site, parts.path, query)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            return (404 if said == b"" else 200), {}, body
    return 404, {}, b""


def _page(site: Site, start: int, most: int) -> list[dict[str, Any]]:
    start = 0 if site.stuck else start
    return [tree(number) for number in range(start, min(start + min(most, MOST), site.trees))]


CAPABILITIES = b"""<?xml version="1.0"?><WFS_Capabilities xmlns="http://www.opengis.net/wfs/2.0"
 xmlns:ows="http://www.opengis.net/ows/1.1"><ows:OperationsMetadata><ows:Operation name="GetFeature">
<ows:Parameter name="outputFormat"><ows:AllowedValues><ows:Value>text/xml; subtype=gml/3.2</ows:Value>
<ows:Value>geojson</ows:Value></ows:AllowedValues></ows:Parameter></ows:Operation></ows:OperationsMetadata>
<FeatureTypeList><FeatureType><Name>ville:arbres</Name><Title>Arbres</Title></FeatureType>
<FeatureType><Name>ville:bancs</Name><Title>Bancs</Title></FeatureType></FeatureTypeList></WFS_Capabilities>"""
EXCEPTION = b"""<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Exception>
<ows:ExceptionText>Feature type ville:rien unknown</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"""


def _wfs(site: Site, _path: str, query: dict[str, str]) -> Any:
    if query.get("request") == "GetCapabilities":
        return CAPABILITIES
    if query["typenames"] != "ville:arbres":
        return EXCEPTION
    found = _page(site, int(query["startindex"]), int(query["count"]))
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326"}}
    return {"type": "FeatureCollection", "numberMatched": site.trees, "features": found, "crs": crs}


def _oapif(site: Site, path: str, query: dict[str, str]) -> Any:
    if path.endswith("/collections"):
        return {"collections": [{"id": "arbres", "title": "Arbres"}]}
    start = int(query.get("offset", 0))
    found = _page(site, start, int(query["limit"]))
    links = [{"rel": "self", "href": path}]
    if start + len(found) < site.trees:
        links.append({"rel": "next", "type": "application/geo+json", "href": f"items?limit=1000&offset={start + MOST}"})
    return {"type": "FeatureCollection", "features": found, "links": links}


def _arcgis(site: Site, path: str, query: dict[str, str]) -> Any:
    if path.endswith("FeatureServer"):
        return {"layers": [{"id": 0, "name": "Arbres"}], "tables": [{"id": 1, "name": "Visites"}]}
    if path.endswith("/0"):
        fields = [{"name": "vu_le", "type": "esriFieldTypeDate"}, {"name": "OBJECTID", "type": "esriFieldTypeOID"}]
        return {"fields": fields, "maxRecordCount": 90, "objectIdField": "OBJECTID"}
    if "/9/" in path or path.endswith("/9"):
        return {"error": {"code": 400, "message": "Invalid layer"}}
    start, most = int(query["resultoffset"]), int(query["resultrecordcount"])
    found = _page(site, start, most)
    for one in found:
        one["properties"]["vu_le"] = 1_767_225_600_000
    more = start + len(found) < site.trees
    return {"type": "FeatureCollection", "features": found, "properties": {"exceededTransferLimit": more}}


def _ckan(site: Site, path: str, query: dict[str, str]) -> Any:
    if path.endswith("package_show"):
        resources = [
            {"id": "r-1", "name": "Arbres", "format": "CSV"},
            {"id": "r-2", "name": "Fichier", "format": "CSV"},
        ]
        return {"success": True, "result": {"resources": resources}}
    if path.endswith("resource_show"):
        is_table = query["id"] == "r-1"
        return {
            "success": True,
            "result": {"datastore_active": is_table, "url": f"{site.url}/arbres.csv", "format": "CSV"},
        }
    start = int(query["offset"])
    rows = [{"_id": one["id"], **one["properties"]} for one in _page(site, start, int(query["limit"]))]
    return {"success": True, "result": {"records": rows, "total": site.trees}}


def _opendatasoft(site: Site, path: str, query: dict[str, str]) -> Any:
    if path.endswith("/exports/geojson"):
        most = int(query.get("limit", site.trees))
        return {"type": "FeatureCollection", "features": [tree(number) for number in range(most)]}
    if path.endswith("/arbres"):
        return {"dataset_id": "arbres", "features": ["geo"]}
    return b""


def _sensorthings(_site: Site, path: str, query: dict[str, str]) -> Any:
    if path.endswith("Observations"):
        return {"value": [{"result": 12.5, "phenomenonTime": "2026-03-01T10:00:00Z/2026-03-01T11:00:00Z"}]}
    name = "Température" if "$skip" not in query else "Humidité"
    place = {"location": {"type": "Point", "coordinates": [3.0, 45.0]}}
    row = {
        "name": name, "unitOfMeasurement": {"symbol": "°C"}, "ObservedProperty": {"name": name},
        "Thing": {"name": "Mairie", "Locations": [place]},
        "Observations": [{"result": 21, "phenomenonTime": "2026-03-01T11:00:00Z"}],
    }  # fmt: skip
    return {"value": [row]} | ({} if "$skip" in query else {"@iot.nextLink": f"{path}?$skip=1"})


PROTOCOLS: dict[str, Callable[[Site, str, dict[str, str]], Any]] = {
    "/wfs": _wfs,
    "/ogc": _oapif,
    "/arcgis": _arcgis,
    "/api/3": _ckan,
    "/api/explore": _opendatasoft,
    "/sta": _sensorthings,
}
