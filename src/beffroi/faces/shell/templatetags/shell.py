"""What every template of Beffroi may use: assets, icons, numbers and sizes as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import template
from django.http import HttpRequest, QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy
from django.utils.translation import gettext as _

from beffroi.base.kernel.errors import BeffroiError
from beffroi.base.kernel.sentences import Sentence
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell import assets, preferences
from beffroi.faces.shell.icons import ICONS
from beffroi.faces.shell.look import look_stamp
from beffroi.faces.shell.sentences import said
from beffroi.faces.shell.undoing import undo_of

register = template.Library()
NARROW_SPACE = "\u202f"
MARK = "shell/mark.svg"
OTHER_FACES = (
    ("backoffice:home", gettext_lazy("Espace agents"), (Role.AGENT, Role.ADMINISTRATOR)),
    ("cockpit:home", gettext_lazy("Espace élus"), (Role.ELECTED, Role.ADMINISTRATOR)),
)


@register.simple_tag
def asset(entry: str) -> SafeString:
    """Return the style and script elements of `web/src/<entry>.ts`."""
    return assets.asset_tags(entry)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a decorative icon; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>', ICONS[name]
    )


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """Return the appearance the reader chose (light, dark, contrast), or "auto"."""
    request = context.get("request")
    return preferences.theme_of(request) if isinstance(request, HttpRequest) else preferences.AUTO


@register.simple_tag(takes_context=True)
def look(context: dict[str, Any]) -> dict[str, str]:
    """Return the addresses of what makes the pages the commune's own: `css` and `arms` (empty without), `icon`."""
    commune = getattr(context.get("request"), "commune", None)
    colours, arms = look_stamp(commune), commune.arms if commune else ""
    return {
        "css": f"{reverse('shell:commune-css')}?v={colours}" if colours else "",
        "arms": f"{reverse('shell:arms')}?v={arms}" if arms else "",
        "icon": f"{reverse('shell:icon', args=['libre'])}?v={colours}{arms}" if colours or arms else static(MARK),
    }


@register.simple_tag(takes_context=True)
def faces(context: dict[str, Any]) -> list[dict[str, str]]:
    """Return the other faces the reader may open: `title` and `url`."""
    viewer = getattr(context.get("request"), "viewer", None)
    roles = {grant.role for grant in viewer.grants} if viewer is not None else set()
    open_faces = [(name, title) for name, title, allowed in OTHER_FACES if roles.intersection(allowed)]
    return [{"title": str(title), "url": reverse(name)} for name, title in open_faces]


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """Return the query string of this page with `changes`; a None removes the parameter."""
    request = context.get("request")
    values = request.GET.copy() if isinstance(request, HttpRequest) else QueryDict(mutable=True)
    for name, value in changes.items():
        if value is None or value == "":
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"?{values.urlencode()}"


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], prefix: str) -> SafeString:
    """Return `aria-current="page"` when the page's address starts with `prefix`."""
    request = context.get("request")
    path = request.path if isinstance(request, HttpRequest) else ""
    here = path == prefix if prefix == "/" else path.startswith(prefix)
    return SafeString(' aria-current="page"') if here else SafeString("")


@register.filter
def number(value: Any) -> str:
    """Write a number as the reader's language does: 1 234 567,5 in French, 1,234,567.5 in English; None is a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = formats.number_format(value, use_l10n=True, force_grouping=True)
    return text.replace("\xa0", NARROW_SPACE) if get_language() == "fr" else text


@register.filter
def size(octets: int | None) -> str:
    """Write a size in bytes with the unit people read (decimal: 1 ko is 1,000 bytes)."""
    if octets is None:
        return "–"
    amount = float(octets)
    for unit in (_("octets"), _("ko"), _("Mo")):
        if amount < 1000:
            digits = 0 if amount >= 10 or amount == int(amount) else 1
            return f"{formats.number_format(round(amount, digits), digits)} {unit}"
        amount /= 1000
    return f"{formats.number_format(round(amount, 1), 1)} {_('Go')}"


@register.filter
def sentence(value: Sentence | BeffroiError | str | None) -> str:
    """Say a sentence of another room in the reader's language."""
    return said(value)


@register.filter
def translated(text: str | None) -> str:
    """Say in the reader's language what a data file says in French (a use case, a theme, a rhythm)."""
    # Of nothing, gettext tells the header of its catalogue.
    return _(text) if text else ""


@register.filter
def undo(tags: str | None) -> dict[str, object] | None:
    """Return what a message offers to undo (see `undoing`), None when it offers nothing."""
    return undo_of(tags)


@register.filter
def unfilled(template: str) -> str:
    """Say a template whose values are not at hand: each becomes an ellipsis."""
    return re.sub(r"\{[^{}]*\}", "…", gettext(template))


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """Return `mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def labelled(cells: Iterable[Any], columns: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return each cell with the title of its column, for tables whose rows become cards on a phone."""
    return list(zip(columns, cells, strict=False))


@register.filter
def unlocalized(value: float | None) -> str:
    """Write a coordinate for an address: a point for decimals, 6 digits (about 10 cm)."""
    return "" if value is None else f"{value:.6f}"
