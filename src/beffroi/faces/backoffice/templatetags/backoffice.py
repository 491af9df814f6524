"""What the pages of the back office add to those of the house."""

from __future__ import annotations

from typing import Any

from django import template

from beffroi.base.territory.viewer import Role
from beffroi.faces.backoffice.doors import Door, doors
from beffroi.faces.backoffice.help import HelpText, help_of

register = template.Library()


@register.simple_tag(takes_context=True)
def back_doors(context: dict[str, Any]) -> list[Door]:
    """Return the doors of the back office this reader may open."""
    return doors(context["request"])


@register.simple_tag(takes_context=True)
def works_here(context: dict[str, Any]) -> bool:
    """Tell whether the reader works for the commune: officials read some of these pages, and neither train nor try."""
    request = context["request"]
    code = request.commune.code if request.commune else ""
    return any(request.viewer.has(role, code) for role in (Role.AGENT, Role.ADMINISTRATOR))


@register.simple_tag(takes_context=True)
def page_help(context: dict[str, Any]) -> HelpText | None:
    """Return the help of the page being shown."""
    match = getattr(context.get("request"), "resolver_match", None)
    return help_of(match.view_name) if match is not None else None
