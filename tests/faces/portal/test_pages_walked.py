"""Every page is walked with axe in a browser: one that a list forgets is told here, without a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from beffroi.base.territory.viewer import Role
from faces.browser.test_accessible_pages import walked_addresses
from faces.portal.small_town import CODE
from invariants.test_access import Address, addresses

pytestmark = pytest.mark.django_db

# Those that the site of the browser tests cannot show; each group says why that is no hole.
ELSEWHERE = {
    # One frame and one sentence, that of the account pages walked: they follow a letter, a closed account, a refusal.
    "account_confirm_email", "account_email_verification_sent", "account_inactive", "account_logout",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "account_set_password", "sign_out", "portal:my-data-erased", "openid_connect_callback", "openid_connect_login",
    "socialaccount_connections", "socialaccount_login_cancelled", "socialaccount_login_error",
    # They ask for a second factor that this site has not: `tests/faces/accounts` reads them.
    "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_edit_webauthn", "mfa_generate_recovery_codes",
    "mfa_list_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    # Photographs, JSON and forms' targets: what is answered here is that there is none, on the page of refusals.
    "backoffice:add-key", "backoffice:add-service", "backoffice:journal-skip", "backoffice:visit-photo",
    "portal:followed-photo", "portal:followed-procedure-file", "portal:near", "portal:procedure-file",
    "portal:report-photo", "portal:report-similar", "portal:twin-for",
    # A token that a letter carries; the lists of one's subscriptions are walked as `portal:own-subscriptions`.
    "portal:subscription", "portal:subscriptions", "portal:subscriptions-end", "portal:alerts-confirm",
    "portal:alerts-followed", "portal:alerts-unfollow",
    # It reads itself again every thirty seconds, under the rules that read it: `tests/usecases/test_1_12.py`.
    "portal:screen",
    # What a bank calls or sends one back to: it says OK, or leads on to `portal:payment`, which is walked.
    "portal:payment-notification", "portal:payment-return",
    # The way to the step where one stands, which is walked.
    "portal:procedure-form",
    # What an agent keeps: `tests/usecases/test_5_14.py`; the workbench shows the same parts.
    "portal:indicator",
    # The national base it is made of, which this site has not: `tests/usecases/test_2_13.py`.
    "portal:declared-review",
    # What a worker makes, and this site runs none: `tests/usecases/test_12_07.py`, `tests/faces/backoffice`.
    "backoffice:round-vehicle", "backoffice:upload",
    # Owners are read by who is entitled one by one; this site has neither them nor orders: see `test_9_09` and
    # `test_1_18` of the use cases. The log of readings and the blocks are walked.
    "portal:owners", "portal:owners-record", "portal:unfit-order",
    # A source that this site has not: `tests/usecases/test_G_10.py`; the others are a file and a form's target.
    "backoffice:source", "backoffice:source-definition", "backoffice:source-elsewhere",
}  # fmt: skip

# Shown, or sent back to the password, by how long ago one signed in.
AFTER_SIGNING_IN = {"mfa_activate_totp", "mfa_add_webauthn"}


def name_of(address: str) -> str:
    """Return the name of the view an address leads to, empty for one that leads nowhere."""
    try:
        return resolve(address.partition("?")[0]).view_name
    except Resolver404:
        return ""


def is_page(client: Client, address: Address) -> bool:
    """Tell whether an address answers a reader with a page: neither a form's target, a file, nor a way to another."""
    if " " in address.key or not address.route.rstrip("$Z\\").endswith("/"):
        return False
    answer = client.get(address.path(territory=CODE, slug="arbres", dataset="arbres"))
    return answer.status_code not in (301, 302, 308, 405) and answer.headers["Content-Type"].startswith("text/html")


def test_every_page_is_walked_with_axe(signed_in: Callable[..., Client]) -> None:
    client = signed_in(Role.AGENT, Role.ADMINISTRATOR, Role.ELECTED)
    client.raise_request_exception = False
    walked = {name_of(address) for address in walked_addresses()}
    walked |= AFTER_SIGNING_IN
    forgotten = {one.key for one in addresses() if one.key not in walked and is_page(client, one)}
    assert sorted(forgotten - ELSEWHERE) == [], "walk them in tests/faces/browser/test_accessible_pages.py"
    assert sorted(ELSEWHERE - forgotten) == [], "they are walked, or are gone: take them out of ELSEWHERE"
