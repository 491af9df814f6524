"""Answers fetched from a mailbox, against a real IMAP server on this machine."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beffroi.base.territory.viewer import ANONYMOUS
from beffroi.config.commands.mail import mail_command
from beffroi.serve.cases import imap
from beffroi.serve.cases import queries as case_queries
from beffroi.serve.cases.imap import MailboxAddress, MailboxUnreachable
from serve_makers import make_open_town, send
from servers import PATIENCE_S, free_port

pytestmark = pytest.mark.django_db
USER, PASSWORD = "suivi", "le-beffroi-sonne-midi"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of an IMAP server that holds one mailbox in memory."""
    found = free_port()
    program = str(Path(sys.executable).with_name("pymap"))
    command = [program, "--host", "127.0.0.1", "--port", str(found), "--no-tls", "--no-service", "admin", "dict",
               "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE_S
        while not _answers(found):
            assert time.monotonic() < end
            assert server.poll() is None, "the mail server ended"
            time.sleep(0.05)
        yield found
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_S)


def _answers(port: int) -> bool:
    try:
        imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S).logout()
    except (OSError, imaplib.IMAP4.error):
        return False
    return True


@pytest.fixture
def box(port: int) -> Iterator[imaplib.IMAP4]:
    """The mailbox as another program of mail sees it."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S) as opened:
        opened.login(USER, PASSWORD)
        yield opened


def _put(box: imaplib.IMAP4, to: str, text: str = "Côté pair.") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "camille@exemple.fr", to, "Re: Votre demande"
    message.set_content(text)
    said, _ = box.append("INBOX", "", imaplib.Time2Internaldate(time.time()), message.as_bytes())
    assert said == "OK"


def _count(box: imaplib.IMAP4, folder: str) -> int:
    said, (count, *_) = box.select(folder, readonly=True)
    assert said == "OK"
    return int(count)


def test_a_mailbox_is_emptied_once(
    box: imaplib.IMAP4, port: int, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR, settings.IMAP_PASSWORD = tmp_path, PASSWORD
    make_open_town()
    opened = send()
    source = f"imap://{USER}@127.0.0.1:{port}/INBOX"
    CliRunner().invoke(mail_command, [source])
    aside = _count(box, imap.ASIDE)
    _put(box, f"suivi+{opened.token}@mairie.exemple")
    _put(box, "suivi@mairie.exemple")
    said = CliRunner().invoke(mail_command, [source])
    joined, left = f"{opened.number} : réponse jointe", "laissé de côté : aucun jeton de suivi"
    assert sorted(said.output.splitlines()) == sorted([joined, left])
    thread = case_queries.thread(ANONYMOUS, opened.number, token=opened.token)
    assert [one.text for one in thread if one.what == "message"] == ["Côté pair."]
    assert (_count(box, "INBOX"), _count(box, imap.ASIDE)) == (0, aside + 1)
    assert CliRunner().invoke(mail_command, [source]).output == ""
    monkeypatch.setattr(imap, "MAX_BYTES", 100)
    _put(box, f"suivi+{opened.token}@mairie.exemple")
    assert CliRunner().invoke(mail_command, [source]).output == "laissé de côté : trop lourd\n"


def test_a_mailbox_that_does_not_open_is_told_in_a_sentence(port: int, settings: Any) -> None:
    for source, password in (
        (f"imap://{USER}@127.0.0.1:{port}/INBOX", "faux"),
        (f"imap://{USER}@127.0.0.1:{port}/Ailleurs", PASSWORD),
        (f"imap://{USER}@127.0.0.1:{free_port()}/INBOX", PASSWORD),
    ):
        settings.IMAP_PASSWORD = password
        said = CliRunner().invoke(mail_command, [source])
        assert said.exit_code == 1
        assert "la boîte de 127.0.0.1 ne s’ouvre pas" in said.output
        assert PASSWORD not in said.output
    for text in ("http://a@b/c", "imaps://sans-compte/INBOX", "imaps://a@b:port/INBOX"):
        with pytest.raises(MailboxUnreachable, match="n’est pas l’adresse"):
            MailboxAddress.parsed(text)


def test_the_password_crosses_the_network_under_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Clear:
        def __init__(self, host: str, port: int, timeout: int) -> None:
            said.append(f"{host}:{port}")

        def starttls(self, context: object) -> None:
            said.append("tls")
            raise imaplib.IMAP4.abort("no TLS here")

        def login(self, user: str, password: str) -> None:
            said.append(password)

        def logout(self) -> None:
            said.append("bye")

    monkeypatch.setattr(imap.imaplib, "IMAP4", type("IMAP4", (Clear,), {"error": Exception, "abort": Exception}))
    with pytest.raises(MailboxUnreachable):
        list(imap.receive_imap(MailboxAddress.parsed("imap://a@courriel.mairie.exemple"), PASSWORD, at=None))  # type: ignore[arg-type]
    assert PASSWORD not in said
    assert said[:2] == ["courriel.mairie.exemple:143", "tls"]
