"""`/dcat.jsonld`: the datasets that everyone may read, as DCAT-AP 3, for data.gouv.fr, CKAN and other harvesters.

The context is in the document: nobody has to fetch anything else to read it.
"""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.faces.api.ogc.answers import address
from beffroi.faces.api.ogc.documents import FILES, NAMES, stamp
from beffroi.faces.api.vocabularies import file_type_uri, frequency_uri, licence_uri, theme_uri
from beffroi.faces.shell.access import EVERYONE, Request, open_to
from beffroi.lake import queries as lake
from beffroi.lake.queries import Seen
from beffroi.sense.twin import queries as twin

CONTEXT: dict[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "locn": "http://www.w3.org/ns/locn#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "adms": "http://www.w3.org/ns/adms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_FRENCH = "http://publications.europa.eu/resource/authority/language/FRA"
_PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
_IANA = "https://www.iana.org/assignments/media-types/"
_FEATURES = "http://www.opengis.net/doc/IS/ogcapi-features-1/1.0"
Node = dict[str, Any]


@open_to(EVERYONE)
@require_safe
def dcat(request: HttpRequest) -> HttpResponse:
    """Give the catalogue of the public datasets."""
    base = f"{request.scheme}://{request.get_host()}"
    commune = cast(Request, request).commune
    town = commune.name if commune else _("la commune")
    document = catalogue(base, lake.seen_datasets(ANONYMOUS), town=town)
    return HttpResponse(
        json.dumps(document, ensure_ascii=False),
        content_type="application/ld+json",
        headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"},
    )


def catalogue(base: str, seen: list[Seen], *, town: str) -> Node:
    """Return the catalogue and all that it names."""
    publisher = _agent(base, town)
    territories = sorted({one.ref.territory for one in seen})
    models = {one.ref for code in territories for one in twin.sources(ANONYMOUS, code).all}
    datasets = [_dataset(base, one, town, in_model=one.ref in models) for one in seen]
    newest = max((one.manifest.created_at for one in seen), default=None)
    service = f"{base}/ogc/#service"
    root: Node = {
        "@id": f"{base}/dcat.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _french(_("Données ouvertes de {town}").format(town=town)),
        "dct:description": _french(_("Tous les jeux de données que {town} publie.").format(town=town)),
        "dct:publisher": publisher,
        "dct:language": {"@id": _FRENCH},
        "foaf:homepage": {"@id": f"{base}/donnees/"},
        "dcat:dataset": [{"@id": one["@id"]} for one in datasets],
        "dcat:service": {"@id": service},
    }
    if newest is not None:
        root["dct:modified"] = _moment(stamp(newest))
    return {"@context": CONTEXT, "@graph": [root, _service(base, service, datasets), *datasets]}


def _service(base: str, uri: str, datasets: list[Node]) -> Node:
    return {
        "@id": uri,
        "@type": "dcat:DataService",
        "dct:title": _french(_("Interfaces standard de l’OGC")),
        "dcat:endpointURL": {"@id": f"{base}/ogc/"},
        "dcat:endpointDescription": {"@id": f"{base}/ogc/api"},
        "dct:conformsTo": {"@id": _FEATURES},
        "dcat:servesDataset": [{"@id": one["@id"]} for one in datasets],
    }


def _dataset(base: str, seen: Seen, town: str, *, in_model: bool) -> Node:
    manifest, ref = seen.manifest, seen.ref
    page = f"{base}/donnees/{ref.territory}/{ref.slug}/"
    producer = manifest.producer or town
    keywords = [manifest.theme, *((_("données fictives"),) if manifest.fictional else ())]
    node: Node = {
        "@id": page,
        "@type": "dcat:Dataset",
        "dct:identifier": str(ref),
        "dct:title": _french(manifest.title),
        "dct:description": _french(manifest.description or manifest.title),
        "dct:issued": _moment(stamp(lake.first_published(seen))),
        "dct:modified": _moment(stamp(manifest.created_at)),
        "dct:publisher": _agent(base, producer),
        "dct:language": {"@id": _FRENCH},
        "dct:accessRights": {"@id": _PUBLIC},
        "dct:accrualPeriodicity": {"@id": frequency_uri(seen.rhythm.words)},
        "dcat:landingPage": {"@id": page},
        "dcat:version": manifest.version,
        "dcat:keyword": [_french(word) for word in keywords if word],
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": producer,
            "vcard:hasURL": {"@id": page},
        },
        "dcat:distribution": _distributions(base, seen, in_model=in_model),
    }
    if (theme := theme_uri(manifest.theme)) is not None:
        node["dcat:theme"] = {"@id": theme}
    if manifest.period is not None:
        start, end = manifest.period
        node["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:date", "@value": start[:10]},
            "dcat:endDate": {"@type": "xsd:date", "@value": end[:10]},
        }
    if manifest.bbox is not None:
        node["dct:spatial"] = _place(seen)
    return node


def _place(seen: Seen) -> Node:
    box = seen.manifest.bbox
    assert box is not None  # noqa: S101 - asked of placed datasets only
    corners = ((box.west, box.south), (box.east, box.south), (box.east, box.north), (box.west, box.north))
    ring = ", ".join(f"{x} {y}" for x, y in (*corners, corners[0]))
    outline = {"@type": "geo:wktLiteral", "@value": f"POLYGON(({ring}))"}
    return {"@type": "dct:Location", "dcat:bbox": outline, "locn:geometry": outline}


def _distributions(base: str, seen: Seen, *, in_model: bool) -> list[Node]:
    ref, manifest = seen.ref, seen.manifest
    licence: Any = licence_uri(manifest.licence)
    files = f"{base}/api/datasets/{ref.territory}/{ref.slug}/download/"
    page = f"{base}/donnees/{ref.territory}/{ref.slug}/telecharger/"

    def described(node: Node) -> Node:
        node |= {"@type": "dcat:Distribution", "dct:modified": _moment(stamp(manifest.created_at))}
        if licence is not None:
            node["dct:license"] = {"@id": licence, "@type": "dct:LicenseDocument"}
        elif manifest.licence:
            node["dct:rights"] = {"@type": "dct:RightsStatement", "dct:description": _french(manifest.licence)}
        return node

    found = [
        described(
            {
                "@id": files + name,
                "dct:title": _french(f"{manifest.title} ({NAMES[name]})"),
                "dcat:accessURL": {"@id": page},
                "dcat:downloadURL": {"@id": files + name},
                "dcat:mediaType": {"@id": _IANA + FILES[name]},
            }
            | ({"dct:format": {"@id": uri}} if (uri := file_type_uri(name)) else {})
        )
        for name in lake.formats(seen)
    ]
    if in_model:
        model = f"{base}/citymodel/{ref.territory}/batiments.city.json"
        found.append(
            described(
                {
                    "@id": model,
                    "dct:title": _french(f"{manifest.title} (CityJSON)"),
                    "dcat:accessURL": {"@id": page},
                    "dcat:downloadURL": {"@id": model},
                    "dcat:mediaType": {"@id": f"{_IANA}application/city+json"},
                }
            )
        )
    api = address(base, ref)
    found.append(
        described(
            {
                "@id": api,
                "dct:title": _french(f"{manifest.title} (OGC API Features)"),
                "dcat:accessURL": {"@id": api},
                "dcat:accessService": {"@id": f"{base}/ogc/#service"},
                "dct:conformsTo": {"@id": _FEATURES},
            }
        )
    )
    return found


def _agent(base: str, name: str) -> Node:
    return {"@type": "foaf:Agent", "foaf:name": _french(name), "foaf:homepage": {"@id": f"{base}/"}}


def _french(text: str) -> Node:
    return {"@language": "fr", "@value": text}


def _moment(text: str) -> Node:
    return {"@type": "xsd:dateTime", "@value": text}
