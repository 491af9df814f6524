"""A PayFiP on this machine, after its published guide: the SOAP service, what a person does on its page, its faults.

It knows nothing of our code: it reads the envelope, checks the fields as the guide says (R3, A2, M4…), and answers with
the namespaces that the real service uses.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ROOT = "http://securite.service.tpa.cp.finances.gouv.fr"
SERVICE = f"{ROOT}/services/mas_securite/contrat_paiement_securise/PaiementSecuriseService"
CLIENT = "006382"


class FakePayFiP:
    """What the service remembers. `paid` is pressed by tests, as a person would on its page."""

    def __init__(self) -> None:
        self.operations: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.is_down = False

    def paid(self, idop: str, result: str = "P", **changes: str) -> None:
        """Keep what a person did: P card, V direct debit, R and Z refused, A abandoned."""
        self.operations[idop] |= {"resultrans": result, "dattrans": "05112026", "heurtrans": "1432"} | changes

    def forget(self, idop: str) -> None:
        """Forget what nobody paid, as a night does."""
        del self.operations[idop]

    def answer(self, body: bytes) -> tuple[int, bytes]:
        root = ElementTree.fromstring(body)
        (operation,) = next(iter(root.iter(f"{{{SOAP}}}Body")))
        namespace, _brace, name = operation.tag[1:].partition("}")
        if namespace != SERVICE:
            return 500, fault("T", "Protocole")
        fields = {one.tag: one.text or "" for one in operation.iter() if not len(one)}
        self.asked.append(name)
        return {"creerPaiementSecurise": self._create, "recupererDetailPaiementSecurise": self._detail}[name](fields)

    def _create(self, given: dict[str, str]) -> tuple[int, bytes]:
        for code, words, right in (
            ("T2", "Numéro de client inconnu", given["numcli"] == CLIENT),
            ("R3", "Le format de REFDET n'est pas conforme", re.fullmatch("[A-Za-z0-9]{6,30}", given["refdet"])),
            ("M4", "Le montant n'est pas conforme", re.fullmatch(r"\d{3,7}", given["montant"])),
            ("A2", "Adresse mel incorrecte", re.fullmatch(r"[^@ ]+@[^@ ]+\.[^@ ]+", given["mel"])),
            ("O1", "L'objet n'est pas conforme", re.fullmatch("[A-Za-z0-9 ]{1,100}", given["objet"])),
            ("E1", "L'exercice n'est pas conforme", re.fullmatch(r"\d{4}", given["exer"])),
            ("S1", "SAISIE non conforme", given["saisie"] in ("T", "X", "W")),
        ):  # fmt: skip
            if not right:
                return 500, fault(code, words)
        idop = str(uuid.uuid4())
        self.operations[idop] = {**given, "idOp": idop, "numauto": "112233"}
        return 200, reply("creerPaiementSecurise", {"idOp": idop})

    def _detail(self, given: dict[str, str]) -> tuple[int, bytes]:
        known = self.operations.get(given.get("idOp", ""))
        if known is None:
            return 500, fault("P1", "IdOp incorrect.")
        if "resultrans" not in known:
            return 500, fault("P5", "Le résultat de la transaction n'est pas connu.")
        names = ("dattrans", "exer", "heurtrans", "idOp", "mel", "montant", "numauto", "numcli", "objet", "refdet",
                 "resultrans", "saisie")  # fmt: skip
        return 200, reply("recupererDetailPaiementSecurise", {name: known[name] for name in names})


def reply(name: str, fields: dict[str, str]) -> bytes:
    inner = "".join(f"<r:{field}>{escape(value)}</r:{field}>" for field, value in fields.items())
    return _envelope(f'<n:{name}Response xmlns:n="{SERVICE}"><return xmlns:r="{ROOT}/reponse">{inner}</return></n:{name}Response>')  # fmt: skip # noqa: E501


def fault(code: str, words: str) -> bytes:
    text = escape(words)
    told = f"<code>{code}</code><descriptif>{text}</descriptif><libelle>{text}</libelle><severite>2</severite>"
    kind = "fr.gouv.finances.cp.tpa.webservice.exceptions.FonctionnelleErreur"
    detail = f'<detail><n:FonctionnelleErreur xmlns:n="{SERVICE}">{told}</n:FonctionnelleErreur></detail>'
    return _envelope(f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{kind}</faultstring>{detail}</s:Fault>")


def _envelope(inner: str) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


@contextmanager
def payfip() -> Iterator[tuple[str, FakePayFiP]]:
    """Serve a PayFiP on a free port; yield its address and what it remembers."""
    service = FakePayFiP()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = (502, b"") if service.is_down else service.answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tpa/services/securite", service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
