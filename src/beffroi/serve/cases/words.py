"""What people type, checked: no control character, no markup, a length that can be read."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from beffroi.serve.cases.definition import BadCase, Requester

MAX_TEXT = 4000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"<[/!]?[a-zA-Z][^<>]{0,2000}>|<!--")
_PHONE = re.compile(r"\+?[0-9][0-9 .\-()]{5,28}[0-9]")
LANGUAGES = ("fr", "en")


def clean_text(text: str, *, where: str, required: bool = False, limit: int = MAX_TEXT) -> str:
    """Return `text` without spaces around, line ends made plain.

    Raises:
        BadCase: missing, too long, or it holds markup or control characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _CONTROL.search(text):
        raise BadCase("le texte contient des caractères de contrôle", where=where, remedy="retirez-les ou retapez-le")
    if _MARKUP.search(text):
        raise BadCase("le texte contient des balises HTML", where=where, remedy="écrivez-le sans balises")
    if len(text) > limit:
        raise BadCase(
            "le texte compte {length} caractères, {limit} au plus",
            where=where,
            remedy="abrégez-le",
            length=len(text),
            limit=limit,
        )
    if required and not text:
        raise BadCase("le texte manque", where=where, remedy="écrivez une phrase")
    return text


def clean_requester(requester: Requester) -> Requester:
    """Return `requester` with its contacts checked.

    Raises:
        BadCase: the address or the telephone cannot be one.
    """
    email = clean_text(requester.email, where="email", limit=254)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise BadCase(
                "l’adresse « {email} » n’est pas une adresse électronique",
                where="email",
                remedy="écrivez-la comme nom@domaine.fr, ou laissez le champ vide",
                email=email[:80],
            ) from error
    phone = clean_text(requester.phone, where="phone", limit=30)
    if phone and not _PHONE.fullmatch(phone):
        raise BadCase(
            "le numéro « {phone} » n’est pas un numéro de téléphone",
            where="phone",
            remedy="écrivez-le comme 06 12 34 56 78, ou laissez le champ vide",
            phone=phone,
        )
    language = requester.language if requester.language in LANGUAGES else LANGUAGES[0]
    name = clean_text(requester.name, where="name", limit=200)
    return Requester(requester.person, name, email, phone, language)
