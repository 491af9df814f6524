"""Sentences of the other rooms, said in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence


def said(value: Sentence | BeffroiError | str | None) -> str:
    """Translate the template of `value`, then fill it with its values; those that are sentences too."""
    if value is None:
        return ""
    if isinstance(value, Sentence):
        text = gettext(value.template)
        if not value.values:
            return text
        return text.format(
            **{key: said(one) if isinstance(one, Sentence) else one for key, one in value.values.items()}
        )
    return str(value)
