"""Whether an XML document is a CAP 1.2 message, element by element, as the OASIS schema says; written anew from it.

Source: OASIS Common Alerting Protocol 1.2 (July 2010), 3.2 and 3.4: order, number, values and form of each element.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import gettext_noop
from beffroi.serve.alerts.cap import NAMESPACE
from beffroi.serve.alerts.definition import CATEGORIES, CERTAINTIES, SEVERITIES, URGENCIES

MOST_BYTES = 4 << 20
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_NAME = re.compile(r"[^\s,<&]+")
_ANY = re.compile(r"[\s\S]*")
_POINT = r"-?\d{1,3}(?:\.\d+)?,-?\d{1,3}(?:\.\d+)?"
_POLYGON = re.compile(rf"\s*{_POINT}(?:\s+{_POINT}){{3,}}\s*")
_CIRCLE = re.compile(rf"\s*{_POINT}\s+\d+(?:\.\d+)?\s*")
_NUMBER = re.compile(r"\s*-?\d+(?:\.\d+)?\s*")


class BadCap(BeffroiError):
    """A document is no CAP 1.2 message."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How many times an element comes, and what it holds: a form, or elements of its own."""

    least: int = 0
    most: int | None = 1
    form: re.Pattern[str] = _ANY
    inside: str = ""


def _one_of(*values: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, values)))


_ONE, _SOME, _MANY, _LAST = _Rule(1), _Rule(), _Rule(most=None), _Rule(form=_DATE)
_TABLES: dict[str, dict[str, _Rule]] = {
    "alert": {
        "identifier": _Rule(1, form=_NAME),
        "sender": _Rule(1, form=_NAME),
        "sent": _Rule(1, form=_DATE),
        "status": _Rule(1, form=_one_of("Actual", "Exercise", "System", "Test", "Draft")),
        "msgType": _Rule(1, form=_one_of("Alert", "Update", "Cancel", "Ack", "Error")),
        "source": _SOME,
        "scope": _Rule(1, form=_one_of("Public", "Restricted", "Private")),
        "restriction": _SOME,
        "addresses": _SOME,
        "code": _MANY,
        "note": _SOME,
        "references": _SOME,
        "incidents": _SOME,
        "info": _Rule(most=None, inside="info"),
    },
    "info": {
        "language": _SOME,
        "category": _Rule(1, None, _one_of(*CATEGORIES)),
        "event": _ONE,
        "responseType": _Rule(
            most=None,
            form=_one_of("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"),
        ),
        "urgency": _Rule(1, form=_one_of(*URGENCIES)),
        "severity": _Rule(1, form=_one_of(*SEVERITIES)),
        "certainty": _Rule(1, form=_one_of(*CERTAINTIES)),
        "audience": _SOME,
        "eventCode": _Rule(most=None, inside="pair"),
        "effective": _LAST,
        "onset": _LAST,
        "expires": _LAST,
        "senderName": _SOME,
        "headline": _SOME,
        "description": _SOME,
        "instruction": _SOME,
        "web": _SOME,
        "contact": _SOME,
        "parameter": _Rule(most=None, inside="pair"),
        "resource": _Rule(most=None, inside="resource"),
        "area": _Rule(most=None, inside="area"),
    },
    "resource": {
        "resourceDesc": _ONE,
        "mimeType": _ONE,
        "size": _Rule(form=_NUMBER),
        "uri": _SOME,
        "derefUri": _SOME,
        "digest": _SOME,
    },
    "area": {
        "areaDesc": _ONE,
        "polygon": _Rule(most=None, form=_POLYGON),
        "circle": _Rule(most=None, form=_CIRCLE),
        "geocode": _Rule(most=None, inside="pair"),
        "altitude": _Rule(form=_NUMBER),
        "ceiling": _Rule(form=_NUMBER),
    },
    "pair": {"valueName": _ONE, "value": _ONE},
}


def parsed(document: bytes) -> Element:
    """Return the root of an XML document without entities of its own.

    Raises:
        BadCap: too large, or not XML.
    """
    if len(document) > MOST_BYTES:
        raise BadCap("document de plus de {most} Mo", remedy="vérifiez l’adresse", most=MOST_BYTES >> 20)
    try:
        root: Element = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadCap("ce n’est pas du XML ({reason})", remedy="vérifiez l’adresse", reason=str(error)[:80]) from error
    return root


def check(root: Element) -> None:
    """Let a CAP 1.2 message pass.

    Raises:
        BadCap: says which element, where, and what it should be.
    """
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise BadCap("la racine n’est pas un « alert » de CAP 1.2", where=root.tag[:120], remedy="vérifiez l’adresse")
    _check(root, "alert", "alert")


def _check(element: Element, table: str, where: str) -> None:
    rules = _TABLES[table]
    ranks = {name: rank for rank, name in enumerate(rules)}
    counts = dict.fromkeys(rules, 0)
    last = 0
    for child in element:
        space, _brace, name = child.tag.removeprefix("{").rpartition("}")
        if space != NAMESPACE:
            if table == "alert":
                # A signature, an extension: allowed at the end.
                continue
            raise _bad(f"{where}/{child.tag}", gettext_noop("élément inconnu"))
        rule = rules.get(name)
        if rule is None:
            raise _bad(f"{where}/{name}", gettext_noop("élément inconnu"))
        if ranks[name] < last:
            raise _bad(f"{where}/{name}", gettext_noop("élément hors de son rang"))
        last = ranks[name]
        counts[name] += 1
        if rule.inside:
            _check(child, rule.inside, f"{where}/{name}")
        elif len(child) or not rule.form.fullmatch(child.text or ""):
            raise _bad(f"{where}/{name}", gettext_noop("valeur « {value} » impossible"), value=(child.text or "")[:60])
    for name, rule in rules.items():
        if counts[name] < rule.least:
            raise _bad(f"{where}/{name}", gettext_noop("élément absent"))
        if rule.most is not None and counts[name] > rule.most:
            raise _bad(f"{where}/{name}", gettext_noop("élément répété"))


def _bad(where: str, what: str, **values: str) -> BadCap:
    return BadCap(what, where=where, remedy="signalez-le à l’émetteur (CAP 1.2, 3.2)", **values)
