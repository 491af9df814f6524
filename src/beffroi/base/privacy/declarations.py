"""Declarations for models that cannot carry their own: those of libraries, and of rooms that do not declare."""

from __future__ import annotations

from beffroi.base.kernel.personal import Fate, Purpose, Retention

_ACCOUNT = "Ouvrir et protéger un compte : se connecter, recevoir les messages de la commune"
_LIFE = Retention(until="tant que le compte existe")

DECLARED: dict[str, Purpose] = {
    "territory.Person": Purpose(
        purpose=_ACCOUNT,
        legal_basis="public-task",
        article="RGPD art. 6-1 e",
        categories=("adresse électronique", "nom", "dates de création et de dernière connexion"),
        recipients=("agents de la commune", "administrateurs de la commune"),
        person=("pk",),
        hidden=("password", "session_epoch"),
        erased={
            "email": "efface-{pk}@compte.invalid",
            "name": "",
            "password": "!efface",
            "is_active": False,
            "last_login": None,
        },
        # CNIL, référentiels de gestion des comptes : deux à trois ans après le dernier contact.
        retention=Retention(amount=3, unit="year", start=("last_login", "created_at"), fate=Fate.ANONYMISE),
        on_erasure=Fate.ANONYMISE,
        handled_by="beffroi.base.privacy.accounts",
    ),
    "territory.RoleGrant": Purpose(
        purpose="Donner à chacun les droits de ses fonctions dans la commune",
        legal_basis="public-task",
        article="RGPD art. 6-1 e et 32",
        categories=("fonctions et services", "dates des droits"),
        recipients=("administrateurs de la commune",),
        person=("person_id",),
        retention=Retention(amount=1, unit="year", start=("valid_until",), fate=Fate.DELETE),
        on_erasure=Fate.DELETE,
    ),
    "territory.ApiKey": Purpose(
        purpose="Savoir qui a créé une clé d'accès pour un autre logiciel",
        legal_basis="public-task",
        article="RGPD art. 32",
        categories=("auteur de la clé", "date de dernier usage"),
        recipients=("administrateurs de la commune",),
        person=("created_by_id",),
        hidden=("secret_hash", "prefix"),
        erased={"created_by": None},
        retention=Retention(amount=1, unit="year", start=("revoked_at", "expires_at"), fate=Fate.DELETE),
        on_erasure=Fate.ANONYMISE,
    ),
    "account.EmailAddress": Purpose(
        purpose=_ACCOUNT,
        legal_basis="public-task",
        categories=("adresse électronique et sa vérification",),
        recipients=("administrateurs de la commune",),
        person=("user_id",),
        retention=_LIFE,
    ),
    "account.EmailConfirmation": Purpose(
        purpose=_ACCOUNT,
        legal_basis="public-task",
        categories=("envoi d'un lien de vérification",),
        person=("email_address__user_id",),
        hidden=("key",),
        retention=Retention(amount=1, unit="month", start=("sent", "created"), fate=Fate.DELETE),
    ),
    "mfa.Authenticator": Purpose(
        purpose=_ACCOUNT,
        legal_basis="public-task",
        article="RGPD art. 32",
        categories=("second facteur : type, dates de création et de dernier usage",),
        person=("user_id",),
        hidden=("data",),
        retention=_LIFE,
    ),
    "socialaccount.SocialAccount": Purpose(
        purpose="Se connecter par FranceConnect, ProConnect ou un autre fournisseur d'identité",
        legal_basis="public-task",
        categories=("identifiant chez le fournisseur", "identité qu'il a transmise"),
        person=("user_id",),
        retention=_LIFE,
    ),
    "socialaccount.SocialToken": Purpose(
        purpose="Se connecter par FranceConnect, ProConnect ou un autre fournisseur d'identité",
        legal_basis="public-task",
        categories=("jeton du fournisseur d'identité",),
        person=("account__user_id",),
        hidden=("token", "token_secret"),
        retention=Retention(start=("expires_at",), fate=Fate.DELETE),
    ),
    "sessions.Session": Purpose(
        purpose="Rester connecté d'une page à l'autre",
        legal_basis="public-task",
        article="Loi 78-17 du 6 janvier 1978, art. 82 (cookie strictement nécessaire)",
        categories=("identifiant de session",),
        # The row is signed and opaque; erasure ends every session of the account (`accounts.erase`).
        person=(),
        hidden=("session_data", "session_key"),
        retention=Retention(start=("expire_date",), fate=Fate.DELETE),
    ),
    "django_tasks_database.DBTaskResult": Purpose(
        purpose="Exécuter les travaux de fond et savoir s'ils ont abouti",
        legal_basis="public-task",
        categories=("numéros d'objets à traiter",),
        person=(),
        retention=Retention(amount=1, unit="month", start=("finished_at",), fate=Fate.DELETE),
    ),
}

# Models that look personal and are not, each with the reason. One that no longer looks personal must leave.
NOT_PERSONAL: dict[str, str] = {}
