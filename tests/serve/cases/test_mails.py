"""Messages in and out: real SMTP, one thread, the parties told and nobody else."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beffroi.base.journal.operations import deliver_pending
from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.config.commands.mail import mail_command
from beffroi.serve.cases import operations as cases
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.definition import Outcome, Requester
from beffroi.serve.cases.replies import receive
from beffroi.serve.reports import operations, queries
from mail_server import Box, mail_server
from serve_makers import agent_of, photo, send
from territory_makers import AT

pytestmark = pytest.mark.django_db
CLEANER = agent_of("proprete")
LATER = AT + timedelta(hours=3)


@pytest.fixture
def box(settings: Any) -> Iterator[Box]:
    """A real SMTP server on this machine, for the time of a test."""
    settings.EMAIL_REPLY = "suivi@mairie.exemple"
    with mail_server(settings) as found:
        yield found


def _deliver() -> None:
    while deliver_pending(1000):
        pass


def test_each_party_is_told_in_her_language_from_receipt_to_closing(town: str, box: Box) -> None:
    opened = send(requester=Requester(email="zoe@exemple.fr", language="en"), description="Un matelas")
    merged = send(requester=Requester(email="voisin@exemple.fr"))
    send(requester=Requester())
    _deliver()
    assert [to for to, _, _ in box.told()] == ["zoe@exemple.fr", "voisin@exemple.fr"]
    receipt = box.messages[0]
    assert opened.number in receipt["Subject"]
    assert receipt["Reply-To"] == f"suivi+{opened.token}@mairie.exemple"
    assert (receipt["Auto-Submitted"], receipt["Content-Language"]) == ("auto-generated", "en")
    assert "Un matelas" in receipt.get_content()
    assert "Your request is registered" in receipt.get_content()
    box.messages.clear()
    operations.merge_reports(number=merged.number, into=opened.number, by=CLEANER, at=LATER)
    cases.write_to_parties(number=opened.number, text="Devant quel numéro ?", by=CLEANER, at=LATER, ask=True)
    cases.add_note(number=opened.number, text="Rien à dire aux habitants", by=CLEANER, at=LATER)
    operations.close_report(number=opened.number, outcome=Outcome.DONE, reason="Enlevé.", by=CLEANER, at=LATER)
    _deliver()
    told = box.told()
    assert sorted(to for to, _, _ in told) == ["voisin@exemple.fr"] * 3 + ["zoe@exemple.fr"] * 2
    text = "\n".join(content for _, _, content in told)
    assert text.count("Devant quel numéro ?") == text.count("Enlevé.") == 2
    assert "Rien à dire" not in text
    ids = [str(message["Message-ID"]) for message in box.messages]
    assert len(set(ids)) == len(ids)


def test_who_no_longer_wishes_it_is_told_nothing(town: str, box: Box) -> None:
    opened = send()
    _deliver()
    box.messages.clear()
    cases.set_told(number=opened.number, told=False, viewer=ANONYMOUS, token=opened.token)
    cases.accept_case(number=opened.number, by=CLEANER, at=LATER)
    _deliver()
    assert box.messages == []


def _answer(to: str, text: str = "Au 12.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "zoe@exemple.fr", to, "Re: Votre demande"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def test_a_reply_joins_its_thread_without_what_was_quoted(town: str) -> None:
    opened = send()
    cases.write_to_parties(number=opened.number, text="Où ?", by=CLEANER, at=LATER, ask=True)
    message = _answer(
        f"suivi+{opened.token}@mairie.exemple", "Au 12 <bis>.\n\nLe 3 mars 2026 à 10:00, Mairie a écrit :\n> Où ?\n"
    )
    message.add_attachment(photo().content, maintype="image", subtype="jpeg", filename="p.jpg")
    reply = receive(message.as_bytes(), at=LATER)
    assert reply.number == opened.number
    assert case_queries.thread(CLEANER, opened.number)[-1].text == "Au 12 ‹bis>."
    info = queries.report(CLEANER, opened.number)
    assert (info.case.status.value, len(info.photos)) == ("accepted", 1)


def test_a_reply_written_as_a_page_keeps_its_words(town: str) -> None:
    opened = send()
    message = EmailMessage()
    message["To"] = f"suivi+{opened.token}@mairie.exemple"
    message.set_content("<style>p{}</style><p>Au <b>12</b></p><blockquote>Où ?</blockquote>", subtype="html")
    assert receive(message.as_bytes(), at=LATER).number == opened.number
    assert case_queries.thread(CLEANER, opened.number)[-1].text == "Au 12"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (_answer("suivi@mairie.exemple").as_bytes(), "aucun jeton"),
        (_answer("suivi+1." + "0" * 32 + "@mairie.exemple").as_bytes(), "inconnu"),
        (_answer("suivi+1." + "0" * 32 + "@m.fr", Auto_Submitted="auto-replied").as_bytes(), "automatique"),
        (_answer("x", Precedence="bulk").as_bytes(), "automatique"),
        (b"", "aucun jeton"),
        (b"\x00\xff" * 500, "aucun jeton"),
        (b"x" * (26 * 1024 * 1024), "trop lourd"),
    ],
)
def test_what_is_no_reply_is_left_aside(town: str, raw: bytes, why: str) -> None:
    assert why in receive(raw, at=LATER).left_aside


def test_an_empty_reply_is_left_aside_with_a_sentence(town: str) -> None:
    message = _answer(f"suivi+{send().token}@mairie.exemple", "> tout est cité\n")
    assert "manque" in receive(message.as_bytes(), at=LATER).left_aside


def test_a_maildir_is_emptied_once(town: str, tmp_path: Path) -> None:
    opened = send()
    folder = tmp_path / "boite"
    box = mailbox.Maildir(str(folder), create=True)
    box.add(_answer(f"suivi+{opened.token}@mairie.exemple").as_bytes())
    box.add(_answer("suivi@mairie.exemple").as_bytes())
    said = CliRunner().invoke(mail_command, [str(folder)])
    joined, aside = f"{opened.number} : réponse jointe", "laissé de côté : aucun jeton de suivi"
    assert sorted(said.output.splitlines()) == sorted([joined, aside])
    assert len(mailbox.Maildir(str(folder))) == 0
    assert len(mailbox.Maildir(str(folder / ".A-part"))) == 1
    assert CliRunner().invoke(mail_command, [str(folder)]).output == ""
