"""Sentences of the other rooms, said in the reader's language."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language, gettext

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence


def said(value: Sentence | BeffroiError | str | None) -> str:
    """Translate the template of `value`, then fill it with its values; those that are sentences too."""
    if value is None:
        return ""
    if isinstance(value, Sentence):
        text = _template(get_language(), value.template)
        if not value.values:
            return text
        return text.format(
            **{key: said(one) if isinstance(one, Sentence) else one for key, one in value.values.items()}
        )
    return str(value)


@lru_cache(maxsize=8192)
def _template(language: str | None, template: str) -> str:
    """Return a template in `language`, which is the active one: a route says the same dozen templates forty times."""
    return gettext(template)
