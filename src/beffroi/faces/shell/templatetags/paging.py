"""The pages of a long list, written in one way: where one is, first, previous, next, last."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from beffroi.faces.shell.paging import SIZE_KEY, SIZES, USUAL, rows_asked
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
    sized: bool = False,
) -> dict[str, Any]:
    """Show which rows of `total` are here, counted from 1, and lead to the other pages; nothing when there is one only.

    The address carries `key`: how many rows come before, after `prefix`, or with `numbered` the number of the page from
    1. `anchor` is where the list begins on the page, `words` what its rows are, `title` which list it is. `sized` lets
    one choose how many rows a page has; the view reads it by `rows_asked`.
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
        "sizes": _sizes(context, key) if sized and total > SIZES[0] else [],
    }


@register.inclusion_tag("shell/components/page_sizes.html", takes_context=True)
def page_sizes(context: dict[str, Any], *, key: str) -> dict[str, Any]:
    """Offer the number of rows of a page that `key` turns; the list begins again from its first."""
    return {"sizes": _sizes(context, key)}


def _sizes(context: dict[str, Any], key: str) -> list[tuple[int, str, bool]]:
    chosen = rows_asked(_asked(context))
    return [
        (one, query(context, **{SIZE_KEY: None if one == USUAL else one, key: None}), one == chosen) for one in SIZES
    ]


@register.simple_tag(takes_context=True)
def kept_size(context: dict[str, Any]) -> SafeString:
    """Return the hidden field by which a form of filters keeps the number of rows chosen; "" for the usual one."""
    chosen = rows_asked(_asked(context))
    if chosen == USUAL:
        return SafeString("")
    return format_html('<input type="hidden" name="{}" value="{}">', SIZE_KEY, chosen)


def _asked(context: dict[str, Any]) -> dict[str, Any]:
    request = context.get("request")
    return request.GET.dict() if isinstance(request, HttpRequest) else {}
