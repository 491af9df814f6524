"""What keeps floods out without knowing anyone and without a third party: limits, proofs of work, quarantine.

Only what comes without an account and without a key is limited. A device and a network are known by a seal made with
the installation's secret and the day of the month's first: two months cannot be compared, and no address is kept.

| since | by one device | by one network | what happens |
|---|---|---|---|
| an hour | 5 | 30 | a proof of work is asked for (`ProofNeeded`): about a second of the telephone's time |
| an hour | 15 | 120 | no more until later (`TooMany`) |
| a month | 2 closed as abuse | | the next ones are held: its service looks at them first |

To follow a report, or to subscribe, writes to an address that may be somebody else's: 10 an hour by one device, 60 by
one network (`note_asking`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils.crypto import constant_time_compare, salted_hmac

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.territory.viewer import Viewer
from beffroi.serve.cases.definition import Outcome
from beffroi.serve.reports.categories import folded
from beffroi.serve.reports.models import Asking, Origin, SpentProof

WRITE_SCOPE = "reports:write"
WINDOW = timedelta(hours=1)
PROOF_AFTER_DEVICE, PROOF_AFTER_NETWORK = 5, 30
MOST_DEVICE, MOST_NETWORK = 15, 120
MOST_ASKINGS_DEVICE, MOST_ASKINGS_NETWORK = 10, 60
ABUSES_BEFORE_HELD = 2
MEMORY = timedelta(days=30)
SAME_WORDS_BEFORE_HELD = 3
MOST_LINKS = 1
PROOF_BITS = 16
PROOF_LIFE = timedelta(minutes=10)
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


class TooMany(BeffroiError):
    """Too many reports from one device or one network."""

    http_status = 429


class ProofNeeded(BeffroiError):
    """Another report from here takes a proof of work; `challenge` is what to work on."""

    http_status = 428

    def __init__(self, challenge: str) -> None:
        super().__init__(
            "beaucoup de signalements viennent d’être envoyés d’ici",
            where="proof",
            remedy="votre appareil doit faire un petit calcul avant d’envoyer celui-ci",
        )
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a report comes from, sealed. Made by :func:`sender_of`."""

    device: str
    network: str


def sender_of(*, device: str, address: str, at: datetime) -> Sender:
    """Return the seals of a device (a random mark its browser keeps; may be empty) and of an IP address."""
    month = at.strftime("%Y-%m")
    return Sender(_seal("device", month, device) if device else "", _seal("network", month, address))


def _seal(what: str, month: str, value: str) -> str:
    return salted_hmac(f"beffroi.reports.{what}", f"{month}\0{value}", algorithm="sha256").hexdigest()[:32]


def words_of(text: str) -> str:
    """Return a seal of the words of a text, the same for texts that differ by case, accents or spaces; "" of none."""
    words = " ".join(folded(text).split())
    return hashlib.sha256(words.encode()).hexdigest()[:32] if len(words) > 20 else ""


def judged(sender: Sender, *, territory: str, text: str, proof: str, at: datetime) -> bool:
    """Tell whether a report must be held back for a look; one query, two when a proof is given.

    Raises:
        TooMany: the device or the network has sent too much within the hour.
        ProofNeeded: a proof of work is due and `proof` is not a good one.
    """
    recent = Q(at__gt=at - WINDOW)
    by_device = Q(device=sender.device) if sender.device else Q(pk__in=())
    by_network = Q(network=sender.network)
    words = words_of(text)
    counts = Origin.objects.filter(by_device | by_network, territory=territory, at__gt=at - MEMORY).aggregate(
        device_count=Count("pk", filter=by_device & recent),
        network_count=Count("pk", filter=by_network & recent),
        abuses_count=Count("pk", filter=by_device & Q(report__case__outcome=Outcome.ABUSE)),
        same_count=Count("pk", filter=Q(words=words, at__gt=at - timedelta(days=1))),
    )
    if counts["device_count"] >= MOST_DEVICE or counts["network_count"] >= MOST_NETWORK:
        raise TooMany(
            "trop de signalements ont été envoyés d’ici en une heure",
            where="report",
            remedy="réessayez dans une heure ; en cas de danger, appelez le 112",
        )
    if counts["device_count"] >= PROOF_AFTER_DEVICE or counts["network_count"] >= PROOF_AFTER_NETWORK:
        spend_proof(proof, at=at)
    repeated = bool(words) and counts["same_count"] >= SAME_WORDS_BEFORE_HELD
    return counts["abuses_count"] >= ABUSES_BEFORE_HELD or repeated or len(_LINK.findall(text)) > MOST_LINKS


def is_limited(viewer: Viewer) -> bool:
    """Tell whether limits apply to the viewer: she has neither an account nor a key that writes reports."""
    by_key = viewer.scopes is not None and WRITE_SCOPE in viewer.scopes
    return viewer.person_id is None and not by_key


def note_asking(sender: Sender | None, viewer: Viewer, *, territory: str, at: datetime) -> None:
    """Count one more request to follow or to be told, from one who is limited.

    Raises:
        TooMany: the device or the network has asked too often within the hour.
    """
    if sender is None or not is_limited(viewer):
        return
    by_device = Q(device=sender.device) if sender.device else Q(pk__in=())
    by_network = Q(network=sender.network)
    counts = Asking.objects.filter(by_device | by_network, territory=territory, at__gt=at - WINDOW).aggregate(
        device_count=Count("pk", filter=by_device), network_count=Count("pk", filter=by_network)
    )
    if counts["device_count"] >= MOST_ASKINGS_DEVICE or counts["network_count"] >= MOST_ASKINGS_NETWORK:
        raise TooMany(
            "trop de suivis ont été demandés d’ici en une heure",
            where="report",
            remedy="réessayez dans une heure, ou ouvrez un compte",
        )
    Asking.objects.create(territory=territory, at=at, device=sender.device, network=sender.network)


# --- Proof of work --------------------------------------------------------------------------------------------------


def new_challenge(*, at: datetime, bits: int = PROOF_BITS) -> str:
    """Return a challenge: ``<expiry>.<bits>.<random>.<seal>``. Nothing is kept until it is used."""
    body = f"{int((at + PROOF_LIFE).timestamp())}.{bits}.{secrets.token_hex(8)}"
    return f"{body}.{_proof_seal(body)}"


def solved(challenge: str) -> str:
    """Return a proof for a challenge, as a browser finds it: the first number that makes enough leading zero bits."""
    bits, number = int(challenge.split(".")[1]), 0
    while not _has_zero_bits(f"{challenge}:{number}", bits):
        number += 1
    return f"{challenge}:{number}"


def spend_proof(proof: str, *, at: datetime) -> None:
    """Accept a proof of work, once.

    Raises:
        ProofNeeded: absent, wrong, too late or already used; carries a new challenge.
    """
    if not _is_proof(proof, at):
        raise ProofNeeded(new_challenge(at=at))
    digest = hashlib.sha256(proof.partition(":")[0].encode()).hexdigest()
    try:
        with transaction.atomic():
            SpentProof.objects.create(digest=digest, expires_at=at + PROOF_LIFE)
    except IntegrityError as error:
        raise ProofNeeded(new_challenge(at=at)) from error


def _is_proof(proof: str, at: datetime) -> bool:
    match = re.fullmatch(r"(([0-9]{1,12})\.([0-9]{1,2})\.[0-9a-f]{16})\.([0-9a-f]{32}):[0-9]{1,12}", proof)
    if match is None or not constant_time_compare(match[4], _proof_seal(match[1])):
        return False
    return int(match[2]) >= at.timestamp() and _has_zero_bits(proof, int(match[3]))


def _has_zero_bits(proof: str, bits: int) -> bool:
    return int.from_bytes(hashlib.sha256(proof.encode()).digest()) >> (256 - bits) == 0


def _proof_seal(body: str) -> str:
    return salted_hmac("beffroi.reports.proof", body, algorithm="sha256").hexdigest()[:32]
