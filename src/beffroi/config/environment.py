"""The settings a town may change: one table, read at start, checked, and documented from here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError


def _flag(text: str) -> bool:
    values = {"1": True, "true": True, "oui": True, "on": True, "0": False, "false": False, "non": False, "off": False}
    return values[text.strip().lower()]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _optional_folder(text: str) -> Path | None:
    return _folder(text) if text else None


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its default, how it is read, and what it is for (in French, for the docs)."""

    name: str
    default: str
    read: Callable[[str], Any]
    purpose: str


SETTINGS: tuple[Setting, ...] = (
    Setting("BEFFROI_DATA_DIR", "data", _folder, "Dossier du registre SQLite, du lac et des fichiers déposés."),
    Setting("DATABASE_URL", "", str, "Registre PostgreSQL (postgres://…) ; vide : SQLite dans BEFFROI_DATA_DIR."),
    Setting("BEFFROI_SECRET_KEY", "", str, "Clé secrète ; vide : tirée au sort et gardée dans BEFFROI_DATA_DIR."),
    Setting("BEFFROI_HOSTS", "localhost,127.0.0.1,[::1]", _names, "Noms de domaine servis, séparés par des virgules."),
    Setting("BEFFROI_DEBUG", "0", _flag, "1 pour développer : erreurs détaillées. Jamais en production."),
    Setting("BEFFROI_HTTPS", "0", _flag, "1 derrière un mandataire HTTPS : cookies sûrs, HSTS, origine vérifiée."),
    Setting("BEFFROI_COMMUNE", "", str, "Code INSEE servi par défaut ; vide : la première commune créée."),
    Setting("BEFFROI_MIRROR", "", _optional_folder, "Dossier qui remplace les sites des sources (sans internet)."),
    Setting("BEFFROI_HOSTING", "", _optional_folder, "Fichier TOML de vos prix d'hébergement, pour le coût par mois."),
    Setting("BEFFROI_STRONG_AUTH", "1", _flag, "1 : second facteur exigé des agents et des administrateurs."),
    Setting("BEFFROI_OIDC", "", str, "Fichier TOML des fournisseurs d'identité (FranceConnect, ProConnect)."),
    Setting("BEFFROI_EMAIL_URL", "", str, "smtp://compte:mot@hote:587 ; vide : courriels écrits dans un dossier."),
    Setting("BEFFROI_EMAIL_FROM", "ne-pas-repondre@localhost", str, "Expéditeur des courriels."),
    Setting(
        "BEFFROI_EMAIL_REPLY", "", str, "Adresse des réponses (suivi@mairie.fr, variantes +jeton) ; vide : aucune."
    ),
    Setting("BEFFROI_IMAP_PASSWORD", "", str, "Mot de passe de la boîte que lit « beffroi mail imaps://… »."),
    Setting("BEFFROI_WEBHOOK_PRIVATE", "0", _flag, "1 : les webhooks peuvent viser le réseau intérieur, en http."),
    Setting(
        "BEFFROI_INNER_HOSTS",
        "",
        _names,
        "Serveurs intérieurs qu'une source branchée peut lire (sig.mairie.lan,10.0.0.5:8080) ; vide : aucun.",
    ),
    Setting(
        "BEFFROI_PUSH", "1", _flag, "0 : aucune notification sur les appareils ; aucun relais de navigateur appelé."
    ),
    Setting(
        "BEFFROI_PUSH_KEY", "", str, "Clé des notifications (PEM) ; vide : tirée une fois dans le dossier, push.key."
    ),
    Setting(
        "BEFFROI_NOTES_KEY", "", str, "Fichier des clés des notes chiffrées ; vide : tirées dans le dossier, notes.key."
    ),
    Setting(
        "BEFFROI_PAYFIP_URL",
        "https://www.payfip.gouv.fr/tpa/services/securite",
        str,
        "Service web de PayFiP (DGFiP) ; le numéro de client de chaque régie est sur sa page.",
    ),
    Setting(
        "BEFFROI_PAYFIP_PAGE",
        "https://www.payfip.gouv.fr/tpa/paiementws.web",
        str,
        "Page où PayFiP prend le paiement.",
    ),
    Setting("BEFFROI_SEAL_KEY", "", str, "Clé du sceau des documents (PEM) ; vide : tirée dans le dossier, seal.key."),
    Setting("BEFFROI_IMPORT_MEMORY_MB", "2048", int, "Mémoire maximale d'un import, en mégaoctets."),
    Setting("BEFFROI_IMPORT_TIMEOUT_S", "900", int, "Durée maximale de la lecture d'un jeu de données, en secondes."),
    Setting("BEFFROI_UPLOAD_MAX_MB", "200", int, "Taille maximale d'un fichier déposé, en mégaoctets."),
    Setting("BEFFROI_LOG_LEVEL", "INFO", str, "Niveau du journal technique (DEBUG, INFO, WARNING, ERROR)."),
)


class BadSetting(BeffroiError):
    """A setting of the environment cannot be read."""


def read_environment(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return every setting by name, read from `environment` (the process's own when not given).

    Raises:
        BadSetting: a value cannot be read; names the variable, its value and what is expected.
    """
    environment = os.environ if environment is None else environment
    values = {}
    for setting in SETTINGS:
        text = environment.get(setting.name, setting.default)
        try:
            values[setting.name] = setting.read(text)
        except (KeyError, ValueError) as error:
            raise BadSetting(
                "valeur « {text} » illisible",
                where=setting.name,
                remedy="{purpose}",
                text=text,
                purpose=setting.purpose,
            ) from error
    return values
