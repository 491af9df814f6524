"""The pages of a long list, written in one way: where one is, first, previous, next, last."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext as _

from beffroi.faces.shell.templatetags.shell import number, query

register = template.Library()


@register.inclusion_tag("shell/components/pagination.html", takes_context=True)
def pages(
    context: dict[str, Any],
    first: int,
    last: int,
    total: int,
    *,
    size: int,
    key: str = "debut",
    numbered: bool = False,
    prefix: str = "",
    anchor: str = "",
    words: str = "",
    title: str = "",
) -> dict[str, Any]:
    """Show which rows of `total` are here, counted from 1, and lead to the other pages; nothing when there is one only.

    The address carries `key`: how many rows come before, after `prefix`, or with `numbered` the number of the page from
    1. `anchor` is where the list begins on the page, `words` what its rows are, `title` which list it is.
    """

    def leading(start: int) -> str:
        value = f"{start // size + 1}" if numbered else f"{prefix}{start}"
        return query(context, **{key: value if start else None}) + (f"#{anchor}" if anchor else "")

    before, ending = first - 1, (total - 1) // size * size if total else 0
    return {
        "told": _("{words} {a} à {b} sur {c}").format(
            words=words or _("Lignes"), a=number(first), b=number(last), c=number(total)
        ),
        "title": title,
        "start": leading(0) if before > size else "",
        "previous": leading(max(0, before - size)) if before > 0 else "",
        "next": leading(last) if last < total else "",
        "end": leading(ending) if last + size < total else "",
        "shown": bool(total) and (before > 0 or last < total),
    }
