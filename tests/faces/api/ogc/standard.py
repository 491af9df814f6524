"""What each declared conformance class asks, checked by a client that only knows the standard. See `test_standard`."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyogrio
import pyproj
import shapely
from django.test import Client

COLLECTION = "/ogc/collections/34172.arbres"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
SPEC = "http://www.opengis.net/spec/"

Check = Callable[[Client], None]
CHECKS: dict[str, Check] = {}


def checks(*classes: str) -> Callable[[Check], Check]:
    """Say which conformance classes a check is for."""

    def keep(check: Check) -> Check:
        CHECKS.update({SPEC + name: check for name in classes})
        return check

    return keep


def get(client: Client, url: str, *, status: int = 200, accept: str = "*/*") -> Any:
    answer = client.get(url.removeprefix("http://testserver"), headers={"Accept": accept})
    assert answer.status_code == status, (url, answer.status_code)
    if answer.streaming:
        b"".join(answer)  # to its end: the client then closes it
    return answer


def ids(client: Client, query: str) -> list[int]:
    answer = client.get(f"{COLLECTION}/items", dict(part.split("=", 1) for part in query.split("&")))
    assert answer.status_code == 200, answer.content
    return sorted(feature["properties"]["id"] for feature in answer.json()["features"])


def linked(document: dict[str, Any], rel: str, kind: str = "") -> str:
    found = [one["href"] for one in document["links"] if one["rel"] == rel and one["type"].startswith(kind)]
    assert found, f"no link {rel} {kind}"
    return str(found[0])


@checks("ogcapi-common-1/1.0/conf/core", "ogcapi-common-1/1.0/conf/json")
def a_landing_page_leads_to_everything(client: Client) -> None:
    landing = get(client, "/ogc/").json()
    get(client, linked(landing, "service-desc"))
    get(client, linked(landing, "service-doc", "text/html"))
    declared = get(client, linked(landing, "conformance")).json()["conformsTo"]
    assert len(declared) == len(set(declared)) > 10
    refused = get(client, "/ogc/?inconnu=1", status=400).json()
    assert (refused["code"], refused["where"]) == ("InvalidParameterValue", "inconnu")
    get(client, "/ogc/", status=406, accept="image/png")


@checks("ogcapi-common-1/1.0/conf/html", "ogcapi-features-1/1.0/conf/html")
def every_document_is_also_a_page(client: Client) -> None:
    paths = ("/ogc/", "/ogc/conformance", "/ogc/api", "/ogc/collections", COLLECTION, f"{COLLECTION}/queryables",
             f"{COLLECTION}/items", f"{COLLECTION}/items/3", f"{COLLECTION}/tiles",
             f"{COLLECTION}/tiles/WebMercatorQuad", "/ogc/tileMatrixSets",
             "/ogc/tileMatrixSets/WebMercatorQuad")  # fmt: skip
    for path in paths:
        by_header = get(client, path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
        by_parameter = get(client, f"{path}?f=html")
        assert by_header.headers["Content-Type"] == by_parameter.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<h1>" in by_header.content.decode()
    page = get(client, f"{COLLECTION}/items?f=html&limit=2").content.decode()
    assert "Platane" in page
    assert "2 objets sur 25" in page


@checks("ogcapi-common-1/1.0/conf/oas30", "ogcapi-features-1/1.0/conf/oas30")
def the_description_names_every_operation(client: Client) -> None:
    answer = get(client, "/ogc/api")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"].startswith("3.0.")
    for path in ("/", "/conformance", "/collections", "/collections/{collectionId}",
                 "/collections/{collectionId}/items", "/collections/{collectionId}/items/{featureId}"):  # fmt: skip
        operation = document["paths"][path]["get"]
        assert "200" in operation["responses"]
    limit = document["components"]["parameters"]["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 10_000, 1_000)
    assert document["components"]["parameters"]["bbox"]["explode"] is False


@checks("ogcapi-common-2/1.0/conf/collections")
def collections_tell_their_extent(client: Client) -> None:
    listed = get(client, linked(get(client, "/ogc/").json(), "data")).json()
    one, catalogue = listed["collections"]
    assert catalogue["itemType"] == "record"
    assert (one["id"], one["itemType"]) == ("34172.arbres", "feature")
    west, south, east, north = one["extent"]["spatial"]["bbox"][0]
    assert 3.8 < west < east < 3.9
    assert 43.56 < south < north < 43.66
    assert one["extent"]["temporal"]["interval"] == [["2026-11-23T12:00:00Z", None]]
    assert get(client, linked(one, "self")).json() == one
    get(client, "/ogc/collections/34172.dragons", status=404)


@checks("ogcapi-features-1/1.0/conf/core")
def features_are_found_by_box_date_limit_and_id(client: Client) -> None:
    items = linked(get(client, COLLECTION).json(), "items", "application/geo+json")
    first = get(client, f"{items}?limit=10").json()
    assert (first["numberMatched"], first["numberReturned"]) == (25, 10)
    seen, page = list(first["features"]), first
    while any(one["rel"] == "next" for one in page["links"]):
        page = get(client, linked(page, "next")).json()
        seen += page["features"]
    assert sorted(feature["properties"]["id"] for feature in seen) == list(range(1, 26))
    assert len(get(client, f"{items}?limit=10001").json()["features"]) == 25
    box = get(client, f"{items}?bbox=3.80,43.56,3.85,43.60").json()
    assert 0 < box["numberMatched"] < 25
    for feature in box["features"]:
        x, y = feature["geometry"]["coordinates"]
        assert 3.80 <= x <= 3.85
        assert 43.56 <= y <= 43.60
    assert get(client, f"{items}?bbox=3.80,43.56,-100,3.85,43.60,900").json()["features"] == box["features"]
    assert get(client, f"{items}?bbox=170,-20,-170,20").json()["numberMatched"] == 0
    assert get(client, f"{items}?datetime=2026-11-24T00:00:00Z").json()["numberMatched"] == 25
    assert get(client, f"{items}?datetime=2020-01-01/2021-01-01").json()["numberMatched"] == 0
    one = get(client, f"{items}/7").json()
    assert (one["id"], one["properties"]["id"]) == ("7", 7)
    assert {link["rel"] for link in one["links"]} >= {"self", "alternate", "collection"}
    get(client, f"{items}/999", status=404)
    for wrong in ("limit=0", "limit=-1", "limit=dix", "bbox=1,2,3", "bbox=4,5,3,2", "bbox=a,b,c,d", "datetime=hier",
                  "datetime=2026-02-01/2026-01-01", "after=x", "inconnu=1", "limit=1&limit=2", "f=gml"):  # fmt: skip
        problem = get(client, f"{items}?{wrong}", status=400).json()
        assert problem["code"] == "InvalidParameterValue"
        assert problem["where"] == wrong.partition("=")[0]


@checks("ogcapi-features-1/1.0/conf/geojson")
def features_are_geojson(client: Client) -> None:
    for path, kind in (("items?limit=3", "FeatureCollection"), ("items/3", "Feature")):
        answer = get(client, f"{COLLECTION}/{path}", accept="application/geo+json")
        assert answer.headers["Content-Type"] == "application/geo+json"
        document = answer.json()
        assert document["type"] == kind
        assert linked(document, "self", "application/geo+json")
    assert get(client, f"{COLLECTION}/items?f=json").headers["Content-Type"] == "application/geo+json"


@checks("ogcapi-features-2/1.0/conf/crs")
def features_come_in_other_systems(client: Client) -> None:
    collection = get(client, COLLECTION).json()
    assert collection["storageCrs"] == CRS84
    offered = collection["crs"]
    assert set(offered) >= {CRS84, f"{EPSG}4326", f"{EPSG}3857", f"{EPSG}2154"}
    plain = get(client, f"{COLLECTION}/items")
    assert plain.headers["Content-Crs"] == f"<{CRS84}>"
    for crs in offered[1:]:
        answer = get(client, f"{COLLECTION}/items?crs={crs}")
        assert answer.headers["Content-Crs"] == f"<{crs}>"
        moved = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{crs.rpartition('/')[2]}")
        for here, there in zip(plain.json()["features"], answer.json()["features"], strict=True):
            expected = moved.transform(*here["geometry"]["coordinates"])
            assert max(abs(a - b) for a, b in zip(expected, there["geometry"]["coordinates"], strict=True)) < 0.001
        west, south, east, north = 3.80, 43.56, 3.85, 43.60
        corners = [moved.transform(x, y) for x, y in ((west, south), (east, north))]
        numbers = ",".join(str(number) for corner in corners for number in corner)
        area = shapely.box(*(float(number) for number in numbers.split(",")))
        expected_ids = sorted(
            feature["properties"]["id"]
            for feature in answer.json()["features"]
            if area.contains(shapely.Point(feature["geometry"]["coordinates"]))
        )
        assert ids(client, f"bbox={numbers}&bbox-crs={crs}") == expected_ids
        assert expected_ids
    latitude_first = get(client, f"{COLLECTION}/items/3?crs={EPSG}4326").json()["geometry"]["coordinates"]
    assert latitude_first == get(client, f"{COLLECTION}/items/3").json()["geometry"]["coordinates"][::-1]
    for wrong in ("crs=EPSG:27572", f"bbox=1,2,3,4&bbox-crs={EPSG}9999", f"bbox=nan,1,2,3&bbox-crs={EPSG}2154"):
        get(client, f"{COLLECTION}/items?{wrong}", status=400)


@checks("ogcapi-features-3/1.0/conf/queryables")
def queryables_are_a_json_schema(client: Client) -> None:
    collection = get(client, COLLECTION).json()
    answer = get(client, linked(collection, "http://www.opengis.net/def/rel/ogc/1.0/queryables"))
    assert answer.headers["Content-Type"] == "application/schema+json"
    schema = answer.json()
    assert schema["$schema"].startswith("https://json-schema.org/draft/")
    assert schema["type"] == "object"
    assert schema["properties"]["hauteur_m"]["type"] == "number"
    assert schema["properties"]["plante_le"] == {"title": "Plantation", "type": "string", "format": "date"}
    assert schema["properties"]["geometry"]["format"] == "geometry-point"
    assert "note" not in schema["properties"]


@checks("ogcapi-features-3/1.0/conf/queryables-query-parameters")
def queryables_are_parameters(client: Client) -> None:
    assert ids(client, "espece=Platane 3") == [3, 10, 17, 24]
    assert ids(client, "espece=Platane 3&hauteur_m=13.5") == [10]
    assert ids(client, "remarquable=true") == [11, 22]
    get(client, f"{COLLECTION}/items?hauteur_m=haut", status=400)
    get(client, f"{COLLECTION}/items?note=secret-1", status=400)


@checks("ogcapi-features-3/1.0/conf/filter", "ogcapi-features-3/1.0/conf/features-filter")
def a_filter_joins_the_other_parameters(client: Client) -> None:
    assert ids(client, "filter=hauteur_m > 21 AND id < 24") == [18, 19]
    assert ids(client, "filter=hauteur_m > 21 AND id < 24&filter-lang=cql2-text&id=19") == [19]
    everywhere = ids(client, "filter=id < 10")
    inside = ids(client, "filter=id < 10&bbox=3.80,43.56,3.85,43.60")
    assert 0 < len(inside) < len(everywhere)
    point = "770000,6279000"
    area = (
        f"POLYGON(({point.replace(',', ' ')},775000 6279000,775000 6285000,770000 6285000,{point.replace(',', ' ')}))"
    )
    box = ids(client, f"bbox={point},775000,6285000&bbox-crs={EPSG}2154")
    assert ids(client, f"filter=S_INTERSECTS(geometry,{area})&filter-crs={EPSG}2154") == box
    assert box
    for wrong in ("filter=hauteur_m >", "filter=absente = 1", "filter=id = 1&filter-lang=sql", "filter=note = 'x'",
                  f"filter=id = 1&filter-crs={EPSG}27572"):  # fmt: skip
        get(client, f"{COLLECTION}/items?{wrong}", status=400)


@checks("cql2/1.0/conf/cql2-text", "cql2/1.0/conf/basic-cql2")
def basic_cql2_as_text(client: Client) -> None:
    assert ids(client, "filter=id = 3 OR (id >= 24 AND NOT espece = 'Platane 3')") == [3, 25]
    assert ids(client, "filter=id <> 3 AND id <= 4 AND id > 1") == [2, 4]
    assert ids(client, "filter=remarquable = TRUE") == [11, 22]
    assert ids(client, "filter=espece IS NULL") == []
    assert ids(client, "filter=plante_le < DATE('1953-01-01')") == [1, 2]


@checks("cql2/1.0/conf/cql2-json")
def cql2_as_json(client: Client) -> None:
    either = (
        '{"op": "or", "args": [{"op": "=", "args": [{"property": "id"}, 3]}, '
        '{"op": ">", "args": [{"property": "id"}, 23]}]}'
    )
    answer = client.get(f"{COLLECTION}/items", {"filter": either, "filter-lang": "cql2-json"})
    assert sorted(one["properties"]["id"] for one in answer.json()["features"]) == [3, 24, 25]
    get(client, f"{COLLECTION}/items?filter-lang=cql2-json&filter={{", status=400)


@checks("cql2/1.0/conf/advanced-comparison-operators")
def like_between_and_in(client: Client) -> None:
    assert ids(client, "filter=espece LIKE '%3'") == [3, 10, 17, 24]
    assert ids(client, "filter=id BETWEEN 2 AND 4") == [2, 3, 4]
    assert ids(client, "filter=espece IN ('Platane 0', 'Platane 3') AND id NOT BETWEEN 5 AND 25") == [3]


@checks("cql2/1.0/conf/case-insensitive-comparison", "cql2/1.0/conf/accent-insensitive-comparison")
def capitals_and_accents_may_not_count(client: Client) -> None:
    assert ids(client, "filter=CASEI(espece) = CASEI('PLATANE 3')") == [3, 10, 17, 24]
    assert ids(client, "filter=CASEI(ACCENTI(espece)) LIKE CASEI(ACCENTI('PLÂTÀNE 3'))") == [3, 10, 17, 24]
    assert ids(client, "filter=espece = 'PLATANE 3'") == []


@checks("cql2/1.0/conf/basic-spatial-functions", "cql2/1.0/conf/basic-spatial-functions-plus")
def shapes_meet(client: Client) -> None:
    x, y = get(client, f"{COLLECTION}/items/7").json()["geometry"]["coordinates"]
    # The data keep more decimals than the answer: a point may be beside itself by 1e-8.
    assert ids(client, f"filter=S_INTERSECTS(geometry, BBOX({x - 1e-6},{y - 1e-6},{x + 1e-6},{y + 1e-6}))") == [7]
    assert ids(client, f"filter=S_INTERSECTS(geometry, LINESTRING({x - 1} {y},{x - 0.5} {y}))") == []
    box = ids(client, "bbox=3.80,43.56,3.85,43.60")
    area = "POLYGON((3.80 43.56,3.85 43.56,3.85 43.60,3.80 43.60,3.80 43.56))"
    assert ids(client, f"filter=S_INTERSECTS(geometry, {area})") == box


@checks("cql2/1.0/conf/spatial-functions")
def shapes_stand_in_every_relation(client: Client) -> None:
    area = "POLYGON((3.80 43.56,3.85 43.56,3.85 43.60,3.80 43.60,3.80 43.56))"
    within = ids(client, f"filter=S_WITHIN(geometry, {area})")
    assert ids(client, f"filter=S_CONTAINS({area}, geometry)") == within
    assert sorted(within + ids(client, f"filter=S_DISJOINT(geometry, {area})")) == list(range(1, 26))
    for name in ("S_EQUALS", "S_TOUCHES", "S_CROSSES", "S_OVERLAPS", "S_CONTAINS"):
        assert ids(client, f"filter={name}(geometry, {area})") == []


TILES = f"{COLLECTION}/tiles/WebMercatorQuad"
QUAD_URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"


@checks("ogcapi-tiles-1/1.0/conf/core", "ogcapi-tiles-1/1.0/conf/mvt")
def tiles_hold_the_features(client: Client) -> None:
    inside, names = [], set()
    document = get(client, TILES).json()
    template = linked(document, "item").removeprefix("http://testserver")
    limits = document["tileMatrixSetLimits"][-1]
    for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
        for col in range(limits["minTileCol"], limits["maxTileCol"] + 1):
            answer = client.get(template.format(tileMatrix=limits["tileMatrix"], tileRow=row, tileCol=col))
            assert answer.status_code in (200, 204)
            fields, found = read_tile(answer.content)
            names |= set(fields)
            inside += found
    # A point near an edge is in both tiles.
    assert set(inside) == set(range(1, 26))
    assert "note" not in names
    answer = get(client, f"{TILES}/10/373/522")
    assert answer.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    get(client, f"{TILES}/10/0/0", status=404)
    get(client, f"{TILES}/25/0/0", status=404)
    get(client, f"{TILES}/10/x/0", status=400)
    get(client, f"{TILES}/10/373/522?datetime=2020-01-01", status=204)


def read_tile(tile: bytes) -> tuple[list[str], list[int]]:
    """Return the fields and the ids that GDAL reads in a vector tile; nothing in one without bytes."""
    if not tile:
        return [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "0.pbf")
        path.write_bytes(tile)
        meta, _, _, columns = pyogrio.raw.read(f"MVT:{path}", layer="data", read_geometry=False)
    fields = list(meta["fields"])
    return fields, [int(value) for value in columns[fields.index("id")]]


@checks("ogcapi-tiles-1/1.0/conf/tilesets-list", "ogcapi-tiles-1/1.0/conf/geodata-tilesets")
def tile_sets_are_found_from_the_collection(client: Client) -> None:
    collection = get(client, COLLECTION).json()
    listed = get(client, linked(collection, "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector")).json()
    (one,) = listed["tilesets"]
    assert (one["dataType"], one["tileMatrixSetURI"]) == ("vector", QUAD_URI)
    assert one["crs"] == f"{EPSG}3857"
    get(client, linked(one, "self"))
    get(client, linked(one, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"))


@checks("ogcapi-tiles-1/1.0/conf/tileset", "tms/2.0/conf/json-tilesetmetadata", "tms/2.0/conf/json-tilematrixsetlimits")
def a_tile_set_tells_where_its_tiles_are(client: Client) -> None:
    document = get(client, TILES).json()
    assert document["dataType"] == "vector"
    assert (document["tileMatrixSetURI"], document["crs"]) == (QUAD_URI, f"{EPSG}3857")
    west, south = document["boundingBox"]["lowerLeft"]
    for limits in document["tileMatrixSetLimits"]:
        count = 2 ** int(limits["tileMatrix"])
        assert limits["minTileCol"] == int((west + 180) / 360 * count)
        assert 0 <= limits["minTileRow"] <= limits["maxTileRow"] < count
        # The south is in the last row: rows are counted from the north.
        mercator = math.asinh(math.tan(math.radians(south)))
        assert limits["maxTileRow"] == int((1 - mercator / math.pi) / 2 * count)
    tilejson = get(client, linked(document, "describedby", "application/vnd.mapbox.tile+json"))
    assert tilejson.json()["tilejson"] == "3.0.0"
    url = tilejson.json()["tiles"][0].format(z=10, x=522, y=373)
    assert get(client, url).content == get(client, f"{TILES}/10/373/522").content
    archive = client.get(linked(document, "enclosure", "application/vnd.pmtiles").removeprefix("http://testserver"))
    assert b"".join(archive)[:7] == b"PMTiles"


@checks("tms/2.0/conf/tilematrixset", "tms/2.0/conf/json-tilematrixset")
def the_tile_matrix_set_is_the_webs(client: Client) -> None:
    schemes = linked(get(client, "/ogc/").json(), "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes")
    (one,) = get(client, schemes).json()["tileMatrixSets"]
    assert (one["id"], one["uri"]) == ("WebMercatorQuad", QUAD_URI)
    document = get(client, linked(one, "self")).json()
    first, tenth = document["tileMatrices"][0], document["tileMatrices"][10]
    # Published: OGC 17-083r4, table D.1.
    assert abs(first["scaleDenominator"] - 559082264.028717) < 1e-3
    assert abs(tenth["cellSize"] - 152.874056570353) < 1e-9
    assert (tenth["matrixWidth"], tenth["matrixHeight"]) == (1024, 1024)
    assert first["pointOfOrigin"] == [-20037508.342789244, 20037508.342789244]


@checks("ogcapi-tiles-1/1.0/conf/oas30")
def the_description_names_the_tiles(client: Client) -> None:
    paths = get(client, "/ogc/api").json()["paths"]
    tile = paths["/collections/{collectionId}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}"]["get"]
    assert tile["operationId"].endswith(".vector.getTile")
    assert paths["/collections/{collectionId}/tiles"]["get"]["operationId"].endswith(".vector.getTileSetsList")
    assert "application/vnd.mapbox-vector-tile" in tile["responses"]["200"]["content"]


CATALOGUE = "/ogc/collections/catalogue"


def record_ids(client: Client, query: str) -> list[str]:
    return [one["id"] for one in get(client, f"{CATALOGUE}/items?{query}").json()["features"]]


@checks("ogcapi-records-1/1.0/conf/record-core", "ogcapi-records-1/1.0/conf/json")
def a_record_tells_what_its_dataset_is(client: Client) -> None:
    answer = get(client, f"{CATALOGUE}/items/34172.arbres")
    assert answer.headers["Content-Type"] == "application/geo+json"
    record = answer.json()
    assert (record["type"], record["id"]) == ("Feature", "34172.arbres")
    assert f"{SPEC}ogcapi-records-1/1.0/conf/record-core" in record["conformsTo"]
    assert {"time", "geometry", "links"} <= set(record)
    assert (record["properties"]["type"], record["properties"]["title"]) == ("dataset", "Arbres")
    assert record["properties"]["created"] == "2026-11-23T12:00:00Z"
    assert record["geometry"]["type"] == "Polygon"
    get(client, linked(record, "item"))
    get(client, linked(record, "enclosure", "text/csv"))
    get(client, f"{CATALOGUE}/items/34172.ruches", status=404)


@checks("ogcapi-records-1/1.0/conf/record-collection")
def the_catalogue_is_a_collection_of_records(client: Client) -> None:
    catalogue = get(client, linked(get(client, "/ogc/").json(), "http://www.opengis.net/def/rel/ogc/1.0/ogc-catalog"))
    assert catalogue.json()["itemType"] == "record"
    assert get(client, linked(catalogue.json(), "items")).json()["numberMatched"] == 1


@checks("ogcapi-records-1/1.0/conf/record-core-query-parameters", "ogcapi-records-1/1.0/conf/records-api")
def records_are_searched(client: Client) -> None:
    everything = ["34172.arbres"]
    for found in ("limit=1", "q=ARBRES", "q=nature", "q=absent,arbr%C3%AAs", "type=dataset", "ids=34172.arbres,x",
                  "externalIds=34172/arbres", "bbox=3.8,43.5,3.9,43.7", "bbox=3,40,-3,50"):  # fmt: skip
        assert record_ids(client, found) == everything, found
    for empty in ("q=absent", "type=service", "ids=34172.ruches", "externalIds=x", "bbox=0,0,1,1",
                  "datetime=2020-01-01", "q=arbres&bbox=0,0,1,1", "after=0"):  # fmt: skip
        assert record_ids(client, empty) == [], empty
    for wrong in ("limit=0", "bbox=1", "datetime=x", "ids=", "inconnu=1"):
        get(client, f"{CATALOGUE}/items?{wrong}", status=400)


@checks("ogcapi-records-1/1.0/conf/html")
def records_are_also_pages(client: Client) -> None:
    for path in (CATALOGUE, f"{CATALOGUE}/items", f"{CATALOGUE}/items/34172.arbres"):
        assert "<h1>" in get(client, path, accept="text/html").content.decode()


@checks("ogcapi-records-1/1.0/conf/oas30")
def the_description_names_the_records(client: Client) -> None:
    paths = get(client, "/ogc/api").json()["paths"]
    names = [one["$ref"].rpartition("/")[2] for one in paths["/collections/catalogue/items"]["get"]["parameters"]]
    assert {"q", "type", "ids", "externalIds", "bbox", "datetime", "limit"} <= set(names)
    assert "/collections/catalogue/items/{recordId}" in paths
