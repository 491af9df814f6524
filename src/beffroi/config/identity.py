"""Identity providers, from the TOML file that BEFFROI_OIDC names to the settings of the sign-in library."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beffroi.base.kernel.errors import BeffroiError

KINDS = ("franceconnect", "proconnect", "other")
REQUIRED = ("id", "name", "issuer", "client_id", "client_secret_env")

# What each network asks of its clients.
# To be checked against docs.partenaires.franceconnect.gouv.fr and partenaires.proconnect.gouv.fr before the first
# real sign-in: written from memory, tried only against the OpenID server of the tests.
DEFAULTS: dict[str, dict[str, Any]] = {
    "franceconnect": {
        "scope": ["openid", "given_name", "family_name", "email"],
        "auth_params": {"acr_values": "eidas1", "prompt": "login"},
    },
    "proconnect": {"scope": ["openid", "given_name", "usual_name", "email", "siret"], "auth_params": {}},
    "other": {"scope": ["openid", "profile", "email"], "auth_params": {}},
}


class BadProvider(BeffroiError):
    """The file of identity providers cannot be used."""


def oidc_providers(path: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the sign-in library's settings for the providers of the file `path`; no file, no provider.

    Raises:
        BadProvider: unreadable file, missing or unknown key, secret absent from the environment.
    """
    if not path:
        return {}
    environment = os.environ if environment is None else environment
    try:
        entries = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("provider", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProvider(
            "fichier illisible : {error}", where=path, remedy="vérifiez BEFFROI_OIDC et la syntaxe TOML", error=error
        ) from None
    apps = [
        _app(entry, where=f"{path}: provider {index}", environment=environment)
        for index, entry in enumerate(entries, 1)
    ]
    repeated = {
        app["provider_id"] for app in apps if sum(app["provider_id"] == other["provider_id"] for other in apps) > 1
    }
    if repeated:
        raise BadProvider(
            "identifiant répété : {ids}", where=path, remedy="donnez un id par fournisseur", ids=", ".join(repeated)
        )
    return {"openid_connect": {"APPS": apps, "OAUTH_PKCE_ENABLED": True}}


def _app(entry: dict[str, Any], *, where: str, environment: Mapping[str, str]) -> dict[str, Any]:
    issuer = entry.get("issuer") or entry.get("discovery")
    missing = [key for key in REQUIRED if not entry.get(key) and not (key == "issuer" and issuer)]
    if missing:
        raise BadProvider(
            "clé absente : {keys}", where=where, remedy="voir docs/rooms/territory.md", keys=", ".join(missing)
        )
    kind = entry.get("kind", "other")
    if kind not in KINDS:
        raise BadProvider(
            "kind « {kind} » inconnu", where=where, remedy="choisissez parmi {kinds}", kind=kind, kinds=", ".join(KINDS)
        )
    if not re.fullmatch(r"[a-z0-9-]{1,40}", str(entry["id"])):
        raise BadProvider(
            "id « {id} » impossible", where=where, remedy="minuscules, chiffres et tirets", id=entry["id"]
        )
    secret = environment.get(entry["client_secret_env"], "")
    if not secret:
        remedy = "donnez le secret dans cette variable d'environnement"
        raise BadProvider("variable {name} vide", where=where, remedy=remedy, name=entry["client_secret_env"])
    return {
        "provider_id": entry["id"],
        "name": entry["name"],
        "client_id": entry["client_id"],
        "secret": secret,
        "settings": {
            "server_url": issuer,
            "kind": kind,
            "scope": entry.get("scope", DEFAULTS[kind]["scope"]),
            "auth_params": {**DEFAULTS[kind]["auth_params"], **entry.get("auth_params", {})},
        },
    }
