"""A passkey from end to end: a real browser, its virtual authenticator, a real server, no password left to steal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

import servers
import warm
from faces.browser.conftest import PATIENCE_MS
from registries import copy_registry

TESTS = Path(__file__).resolve().parents[2]
AGENT = "agent@exemple.fr"
SEED = f"""
import django; django.setup()
from allauth.account.models import EmailAddress
from beffroi.base.territory.viewer import Role
from territory_makers import PASSWORD, make_person, make_town
make_town()
person = make_person(Role.AGENT, email="{AGENT}", password=PASSWORD)
EmailAddress.objects.create(user_id=person, email="{AGENT}", verified=True, primary=True)
"""
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[str]:
    """The address of a site that asks agents for a second factor."""
    folder = tmp_path_factory.mktemp("strict")
    copy_registry(migrated_file, folder)
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment |= {
        "BEFFROI_DATA_DIR": str(folder),
        "BEFFROI_STRONG_AUTH": "1",
        "DJANGO_SETTINGS_MODULE": "beffroi.config.settings",
        "PYTHONPATH": str(TESTS),
    }
    warm.run("-c", SEED, env=environment, check=True)
    # Passkeys belong to a name: an address made of numbers has none.
    url = f"http://localhost:{(port := servers.free_port())}"
    command = [str(Path(sys.executable).with_name("beffroi")), "serve", "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            servers.wait_until_answers(f"{url}/health", server, folder / "server.log")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=servers.PATIENCE_S)


def _sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/compte/login/?next=/agent/")
    page.fill("input[name=login]", AGENT)
    page.fill("input[name=password]", "le-beffroi-sonne-midi")
    page.click("main button[type=submit] >> nth=0")


@pytest.mark.chromium
@pytest.mark.slow
def test_an_agent_adds_a_passkey_on_a_telephone_and_then_signs_in_with_it_alone(
    strict_site: str, chromium_path: str
) -> None:
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=servers.CHROMIUM_FLAGS, timeout=PATIENCE_MS
        )
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR")
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        devices = context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

        _sign_in(page, strict_site)
        page.wait_for_url("**/compte/second-facteur/**")
        page.click("text=Ajouter une clé d’accès")
        page.fill("input[name=password]", "le-beffroi-sonne-midi")
        page.click("main button[type=submit]")
        # Its script is there once the page is whole.
        page.wait_for_selector("#mfa_webauthn_add")
        page.wait_for_load_state()
        page.click("#mfa_webauthn_add")
        page.wait_for_url("**/recovery-codes/")
        page.click("text=C’est noté, continuer")
        page.wait_for_url(f"{strict_site}/agent/")

        context.clear_cookies()
        page.goto(f"{strict_site}/compte/login/?next=/agent/")
        page.click("#passkey_login")
        page.wait_for_url(f"{strict_site}/agent/")
        expect(page.locator("h1")).to_have_text("Mon travail aujourd’hui")
        browser.close()
    assert complaints == []
