"""PayFiP, the DGFiP's online payment of local receipts, by its web service (SOAP 1.1, document/literal).

Source: « Guide de mise en œuvre – Régies de recettes du secteur local – Web service », DGFiP, version 19.0, June 2020,
for the operations and their rules; the names of elements and the fault codes as public clients of the service write
them (eopayment, LGPL-like free software; the Odoo and Lutece modules). Field by field:

    creerPaiementSecurise(arg0: exer, mel, montant, numcli, objet, refdet, saisie, urlnotif, urlredirect) → idOp
    recupererDetailPaiementSecurise(arg0: idOp) → dattrans JJMMAAAA, heurtrans HHMM, exer, idOp, mel, montant,
        numauto, numcli, objet, refdet, resultrans, saisie

`montant` is in cents, 1 € at least; `refdet` is 6 to 30 letters and digits; `saisie` is T (test), X (activation) or
W (production); `resultrans` is P (card paid), V (single direct debit paid), R and Z (refused), A (abandoned). Faults:
P1 unknown idOp (one never paid is forgotten overnight), P5 the result is not known yet. An idOp opens the page for
fifteen minutes; asking about it has no effect and may be done at any time.
"""

from __future__ import annotations

import re
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from django.conf import settings

from beffroi.serve.payments.definition import RegisterInfo
from beffroi.serve.payments.gateways import Answer, GatewayDown, GatewayRefusal, Order, Outcome, Started

NAMESPACE = (
    "http://securite.service.tpa.cp.finances.gouv.fr/services/mas_securite/"
    "contrat_paiement_securise/PaiementSecuriseService"
)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TIMEOUT_S = 15
MOST_BYTES = 200_000
LEAST_CENTS, MOST_CENTS = 100, 9_999_999
FORGOTTEN, NOT_YET = "P1", "P5"
RESULTS: Mapping[str, tuple[Outcome, str]] = {
    "P": (Outcome.PAID, "carte"),
    "V": (Outcome.PAID, "prelevement-unique"),
    "R": (Outcome.REFUSED, "carte"),
    "Z": (Outcome.REFUSED, "prelevement-unique"),
    "A": (Outcome.ABANDONED, "carte"),
}


class PayFiP:
    """The gateway of the Direction générale des Finances publiques."""

    def start(self, order: Order, *, at: datetime) -> Started:
        """Open an operation and return its idOp with the page that takes it."""
        if not LEAST_CENTS <= order.cents <= MOST_CENTS:
            raise GatewayRefusal("PayFiP prend de 1 € à 99 999,99 €", remedy="payez par un autre moyen")
        fields = {
            "exer": str(order.year),
            "mel": order.email,
            "montant": str(order.cents),
            "numcli": order.register.payfip_client,
            "objet": plain_subject(order.subject),
            "refdet": order.reference,
            "saisie": order.register.payfip_mode,
            "urlnotif": order.notify_url,
            "urlredirect": order.return_url,
        }
        answer, fault = self._call("creerPaiementSecurise", fields)
        operation = answer.get("idOp", "")
        if fault or not operation:
            raise GatewayRefusal(
                "PayFiP refuse l’opération ({code} {words})", remedy="payez par un autre moyen, ou prévenez le service",
                code=fault or "?", words=answer.get("descriptif") or answer.get("libelle", ""),
            )  # fmt: skip
        return Started(operation, self.page_of(operation))

    def ask(self, operation: str, register: RegisterInfo) -> Answer:
        """Return what PayFiP knows of an idOp."""
        answer, fault = self._call("recupererDetailPaiementSecurise", {"idOp": operation})
        if fault == FORGOTTEN:
            return Answer(Outcome.UNKNOWN, code=fault)
        if fault == NOT_YET:
            return Answer(Outcome.WAITING, code=fault)
        if fault:
            raise GatewayDown("PayFiP répond {code}", where=operation, remedy="la question sera reposée", code=fault)
        result = answer.get("resultrans", "")
        if result not in RESULTS:
            raise GatewayDown("PayFiP donne un résultat inconnu « {code} »", where=operation,
                              remedy="la question sera reposée", code=result[:10])  # fmt: skip
        outcome, way = RESULTS[result]
        return Answer(
            outcome, code=result, cents=int(answer["montant"]) if answer.get("montant", "").isdigit() else 0, way=way,
            day=_day(answer.get("dattrans", "")), authorisation=answer.get("numauto", "")[:40],
            reference=answer.get("refdet", ""), why=_foreign(answer, operation, register),
        )  # fmt: skip

    def page_of(self, operation: str) -> str:
        """Return the DGFiP's page for an idOp."""
        return f"{settings.PAYFIP_PAGE}?{urlencode({'idop': operation})}"

    def _call(self, name: str, fields: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """Return the fields of the answer, and the code of the fault, "" when there is none."""
        body = _posted(envelope(name, fields))
        try:
            # What declares entities is no answer of PayFiP; expat would expand them.
            if b"<!DOCTYPE" in body:
                raise GatewayDown("PayFiP ne répond pas ce qu’il faut", remedy="la question sera reposée")
            root = ElementTree.fromstring(body)  # noqa: S314 - no document type, bounded, from the address set
        except ElementTree.ParseError as error:
            raise GatewayDown("PayFiP ne répond pas ce qu’il faut", remedy="la question sera reposée") from error
        found = {_local(one.tag): (one.text or "").strip() for one in root.iter() if not len(one)}
        if root.find(f".//{{{SOAP}}}Fault") is not None:
            return found, found.get("code") or "?"
        return found, ""


def envelope(name: str, fields: Mapping[str, str]) -> bytes:
    """Return the SOAP message of an operation.

    >>> b"<idOp>a&amp;b</idOp>" in envelope("recupererDetailPaiementSecurise", {"idOp": "a&b"})
    True
    """
    inner = "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:pai="{NAMESPACE}">'
        f"<soapenv:Header/><soapenv:Body><pai:{name}><arg0>{inner}</arg0></pai:{name}></soapenv:Body></soapenv:Envelope>"
    ).encode()


def plain_subject(text: str) -> str:
    """Return a subject as PayFiP takes it: a hundred letters, digits and spaces.

    >>> plain_subject("Facture n° 2026-00012 : cantine d’été")
    'Facture n 2026 00012 cantine d ete'
    """
    ascii_only = unicodedata.normalize("NFKD", text.replace("°", " ")).encode("ascii", "replace").decode()
    return re.sub(r"[^A-Za-z0-9]+", " ", re.sub(r"(?<=[a-z])\?(?=[a-z ]|$)", "", ascii_only)).strip()[:100]


def _posted(message: bytes) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the address is a setting
        settings.PAYFIP_URL, data=message, headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return bytes(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        # SOAP 1.1 gives its faults under 500.
        if error.code == 500:
            return bytes(error.read(MOST_BYTES))
        raise GatewayDown("PayFiP répond {code}", remedy="la question sera reposée", code=error.code) from error
    except (OSError, ValueError) as error:
        raise GatewayDown("PayFiP ne répond pas", remedy="la question sera reposée") from error


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d%m%Y").date()  # noqa: DTZ007 - a day of Paris, as told
    except ValueError:
        return None


def _foreign(answer: Mapping[str, str], operation: str, register: RegisterInfo) -> str:
    """Return what in the answer is not about our operation, "" when all of it is."""
    expected = {"idOp": operation, "numcli": register.payfip_client, "saisie": register.payfip_mode}
    return ", ".join(name for name, value in expected.items() if answer.get(name, value) != value)
