"""Who may open what: every view says it with `open_to`; what says nothing is closed to all.

    @open_to(EVERYONE)                                  the public, signed in or not
    @open_to(SIGNED_IN)                                 any account
    @open_to(Role.AGENT, Role.ADMINISTRATOR)            a role in the territory of the page
    @open_to(Role.AGENT, scope="data:write")            …or an API key of that territory with that scope
    @open_to(scope="stock")                             such a key, and no person

The territory of a page is the one its address names (a `territory` argument), else the one of its domain. On a view
that other systems call, write `open_to` under the router's own decorator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest

from beffroi.base.territory.engine import SCOPES
from beffroi.base.territory.queries import CommuneInfo
from beffroi.base.territory.viewer import Role, Viewer


class Request(HttpRequest):
    """A request as views see it; for annotations. The middleware gives it both attributes, read when first used."""

    viewer: Viewer
    commune: CommuneInfo | None
    # The commune of the domain, when `commune` is its sandbox.
    real_commune: CommuneInfo | None
    needs_second_factor: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Who may open a view: everyone, any account, or the holders of `roles`; `scope` also lets API keys in."""

    everyone: bool = False
    signed_in: bool = False
    roles: frozenset[Role] = frozenset()
    scope: str = ""
    # Pages that lead to a second factor cannot ask for one.
    without_second_factor: bool = False

    def allows(self, viewer: Viewer, territory: str) -> bool:
        """Tell whether `viewer` may open the view, the page being about `territory`."""
        if self.everyone:
            return True
        if viewer.scopes is not None:
            return bool(self.scope) and self.scope in viewer.scopes and _has_one(viewer, frozenset(Role), territory)
        if self.signed_in:
            return viewer.person_id is not None
        return _has_one(viewer, self.roles, territory)


def _has_one(viewer: Viewer, roles: frozenset[Role], territory: str) -> bool:
    return any(viewer.has(role, territory) for role in roles)


@dataclass(frozen=True, slots=True)
class _Everyone:
    pass


@dataclass(frozen=True, slots=True)
class _SignedIn:
    pass


EVERYONE = _Everyone()
SIGNED_IN = _SignedIn()

View = TypeVar("View", bound=Callable[..., Any])


def open_to(
    *who: Role | _Everyone | _SignedIn, scope: str = "", without_second_factor: bool = False
) -> Callable[[View], View]:
    """Declare who may open a view, a view class or an API operation.

    Raises:
        ValueError: nobody is named, EVERYONE or SIGNED_IN is mixed with something else, or the scope is unknown.
    """
    if not (who or scope) or (len(who) > 1 and not all(isinstance(one, Role) for one in who)):
        raise ValueError("open_to takes EVERYONE, or SIGNED_IN, or roles")
    if scope and scope not in SCOPES:
        raise ValueError(f"unknown scope {scope!r}; add it to SCOPES in beffroi.base.territory.engine")
    access = Access(
        everyone=EVERYONE in who,
        signed_in=SIGNED_IN in who,
        roles=frozenset(one for one in who if isinstance(one, Role)),
        scope=scope,
        without_second_factor=without_second_factor,
    )

    def declare(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return declare


_OPEN = Access(everyone=True, without_second_factor=True)
_OWN = Access(signed_in=True, without_second_factor=True)

THIRD_PARTY: dict[str, Access] = {
    # Views that come with libraries, by the name of their address.
    "account_login": _OPEN,
    # Behind our own of the same address, which comes first.
    "account_logout": _OPEN,
    "account_inactive": _OPEN,
    "account_signup": _OPEN,
    "account_reauthenticate": _OWN,
    "account_email": _OWN,
    "account_email_verification_sent": _OPEN,
    "account_confirm_email": _OPEN,
    "account_change_password": _OWN,
    "account_set_password": _OWN,
    "account_reset_password": _OPEN,
    "account_reset_password_done": _OPEN,
    "account_reset_password_from_key": _OPEN,
    "account_reset_password_from_key_done": _OPEN,
    "account_confirm_login_code": _OPEN,
    "mfa_index": _OWN,
    "mfa_authenticate": _OPEN,
    "mfa_reauthenticate": _OWN,
    "mfa_activate_totp": _OWN,
    "mfa_deactivate_totp": _OWN,
    "mfa_view_recovery_codes": _OWN,
    "mfa_generate_recovery_codes": _OWN,
    "mfa_download_recovery_codes": _OWN,
    "mfa_list_webauthn": _OWN,
    "mfa_add_webauthn": _OWN,
    "mfa_reauthenticate_webauthn": _OWN,
    "mfa_remove_webauthn": _OWN,
    "mfa_edit_webauthn": _OWN,
    "mfa_login_webauthn": _OPEN,
    "socialaccount_login_cancelled": _OPEN,
    "socialaccount_login_error": _OPEN,
    "socialaccount_signup": _OPEN,
    "socialaccount_connections": _OWN,
    "openid_connect_login": _OPEN,
    "openid_connect_callback": _OPEN,
}


def access_of(view: Callable[..., Any], *, method: str = "GET", url_name: str = "") -> Access | None:
    """Return what a resolved view declares, None when it declares nothing.

    Looks at the view, then its class, then the API operation that answers `method`, then `THIRD_PARTY`.
    """
    for holder in (view, getattr(view, "view_class", None)):
        declared = getattr(holder, "access", None)
        if isinstance(declared, Access):
            return declared
    operations = operations_of(view)
    for operation in operations:
        if method in operation.methods or (method == "HEAD" and "GET" in operation.methods):
            declared = getattr(operation.view_func, "access", None)
            return declared if isinstance(declared, Access) else None
    if operations:
        # The router itself answers 405 to a method that no operation takes.
        return _OPEN
    return THIRD_PARTY.get(url_name)


def operations_of(view: Callable[..., Any]) -> list[Any]:
    """Return the django-ninja operations behind a view, an empty list for any other view.

    Ninja hides them in the closure of the view it makes; `test_access` fails if it ever changes that.
    """
    if not getattr(view, "__module__", "").startswith("ninja."):
        return []
    for cell in getattr(view, "__closure__", None) or ():
        operations = getattr(cell.cell_contents, "operations", None)
        if operations is not None:
            return list(operations)
    return []
