"""A real Chromium before a real server: the small town, served as in production, from a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

import servers
import warm
from registries import copy_registry, made_once

TESTS = Path(__file__).resolve().parents[2]
PASSWORD = "le-beffroi-sonne-midi"
PHONE, DESKTOP, NARROW = (390, 844), (1280, 860), (320, 640)
# What a page shall show is waited for, so long that a machine that stalls does not matter. Nothing that a page does by
# itself, or after a key, is read once: `expect` and `until` read it again.
PATIENCE_MS = servers.PATIENCE_S * 1000
expect.set_options(timeout=PATIENCE_MS)
# Where the map is, as its address says. A number: once it rests, a map writes its address again, with all the decimals.
LONGITUDE = "Number(/lon=([\\d.]+)/.exec(location.hash)[1])"
# The map of a form starts when it comes into sight. For a test that is not of it, it never does: drawn without a
# graphics processor, it is what the test would cost most.
UNSEEN = "IntersectionObserver.prototype.observe = () => {}"


@dataclass(frozen=True)
class Site:
    """The address of the running site and the sign-ins it has."""

    url: str
    agent: str = "agent@bourg.test"
    elected: str = "elue@bourg.test"
    crew: str = "equipe@bourg.test"
    restart: Callable[[], None] = lambda: None
    folder: Path = Path()


@dataclass
class Watched:
    """A page with all it said and asked for, so that a test may demand silence."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@pytest.fixture
def site(site_of_the_day: Callable[[], Site]) -> Site:
    """The small town, served by `beffroi serve`."""
    return site_of_the_day()


@pytest.fixture(scope="session")
def site_of_the_day(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Callable[[], Site]]:
    """Give the site of the town; another once midnight has passed: what crews do today is of the day it is made."""
    with contextlib.ExitStack() as running:
        known: dict[date, Site] = {}

        def of_today() -> Site:
            day = timezone.localdate()
            if day not in known:
                running.pop_all().close()
                known[day] = running.enter_context(_served(tmp_path_factory, migrated_file, day))
            return known[day]

        yield of_today


@contextlib.contextmanager
def _served(tmp_path_factory: pytest.TempPathFactory, empty: Path, day: date) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "data"
    shutil.copytree(_furnished(tmp_path_factory, empty, day), folder)
    environment = _environment(folder)
    port = servers.free_port()
    command = [str(Path(sys.executable).with_name("beffroi")), "serve", "--port", str(port), "--workers", "1"]
    running: list[subprocess.Popen[bytes]] = []
    with (folder / "server.log").open("ab") as log:

        def stop() -> None:
            for server in running:
                server.terminate()
                server.wait(timeout=servers.PATIENCE_S)
            running.clear()

        def start() -> None:
            stop()
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            servers.wait_until_answers(f"http://127.0.0.1:{port}/", running[0], folder / "server.log")

        try:
            start()
            yield Site(f"http://127.0.0.1:{port}", restart=start, folder=folder)
        finally:
            stop()


def _environment(folder: Path) -> dict[str, str]:
    # Its own registry in SQLite: the browser sees the same pages whatever the registry of the run.
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return environment | {
        "BEFFROI_DATA_DIR": str(folder),
        "BEFFROI_STRONG_AUTH": "0",
        "DJANGO_SETTINGS_MODULE": "beffroi.config.settings",
        "PYTHONPATH": str(TESTS),
    }


def _furnished(tmp_path_factory: pytest.TempPathFactory, empty: Path, day: date) -> Path:
    """Return the folder of the town, furnished by the first process of the run that asks (10 s) and copied by each."""
    with made_once(tmp_path_factory, f"furnished-{day}") as (folder, first):
        if first:
            copy_registry(empty, folder)
            furnish = TESTS / "faces" / "browser" / "furnish.py"
            # Ten seconds of work, many more of waiting on a busy machine.
            warm.run(furnish, PASSWORD, env=_environment(folder), check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """The browser of one file: Playwright keeps an event loop running, where no other test may use the registry."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=servers.CHROMIUM_FLAGS, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Callable[..., Watched]]:
    """Open a page of the site: `visit("/carte/", size=PHONE, scheme="dark")`. Console, failures and hosts are noted.

    Without `maps`, those of forms do not start. In a file that says `WITHOUT_WORKER`, nothing is kept for when there is
    no network: that is half of what a first page costs.
    """
    contexts: list[BrowserContext] = []
    worker = "block" if getattr(request.module, "WITHOUT_WORKER", False) else "allow"

    def open_page(
        address: str,
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: str = "light",
        javascript: bool = True,
        sign_in: str = "",
        maps: bool = True,
        **options: Any,
    ) -> Watched:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
            locale="fr-FR",
            **{"service_workers": worker} | options,
        )
        contexts.append(context)
        if not maps:
            context.add_init_script(UNSEEN)
        context.set_default_timeout(PATIENCE_MS)
        watched = Watched(context.new_page())
        _watch(watched, site)
        if sign_in:
            watched.page.goto(f"{site.url}/compte/login/")
            watched.page.fill("input[type=email]", sign_in)
            watched.page.fill("input[type=password]", PASSWORD)
            with watched.page.expect_navigation():
                watched.page.keyboard.press("Enter")
        watched.page.goto(site.url + address)
        return watched

    yield open_page
    for context in contexts:
        context.close()


def _watch(watched: Watched, site: Site) -> None:
    def asked(request: Request) -> None:
        if not request.url.startswith((site.url, "blob:" + site.url)):
            watched.strangers.append(request.url)

    watched.page.on("request", asked)
    watched.page.on("requestfailed", lambda request: watched.complaints.extend(_failure(request)))
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on("console", lambda message: watched.complaints.extend(_complaint(message)))


def _failure(request: Request) -> list[str]:
    # Aborted by the browser itself: the test went to another page before this answer came.
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


def _complaint(message: ConsoleMessage) -> list[str]:
    # Builds of Chromium differ in the features they know: a policy that names one too many protects all the same. Where
    # a test wants no worker, Playwright says that it blocks ours. Without a graphics processor the browser itself reads
    # a map back from where it was drawn, and its driver finds that slow.
    known = ("Permissions-Policy", "Service Worker registration blocked", "GPU stall due to ReadPixels")
    told = message.type in ("error", "warning") and not any(one in message.text for one in known)
    return [message.text] if told else []


def until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true; Playwright's own way needs `eval`, which the policy forbids."""
    end = time.monotonic() + servers.PATIENCE_S
    while not _true_by_now(page, expression, ends=time.monotonic() >= end):
        assert time.monotonic() < end, f"still false after {servers.PATIENCE_S} s: {expression}"
        page.wait_for_timeout(100)


def until_seen(page: Page, look: Callable[[], bool], what: str, *, after: Callable[[], object] = lambda: None) -> None:
    """Wait until `look` sees what it looks for; meanwhile do `after`, again ever later: it may have come too early."""
    begun, again_s = time.monotonic(), 0.0
    while not look():
        spent = time.monotonic() - begun
        assert spent < servers.PATIENCE_S, f"not seen in {servers.PATIENCE_S} s: {what}"
        if spent >= again_s:
            after()
            # What it asked for comes undisturbed, however long that takes here.
            again_s = 2 * (time.monotonic() - begun) + 1
        page.wait_for_timeout(100)


def _true_by_now(page: Page, expression: str, *, ends: bool) -> bool:
    # Between two pages there is no document yet, or the context asked in is gone: not an answer, unless it is the last.
    try:
        return bool(page.evaluate(expression))
    except PlaywrightError:
        if ends:
            raise
        return False


def wait_for_map(page: Page) -> None:
    """Wait until the map has drawn all its layers; ask for it where a picture stands in its place."""
    # One that no picture stands for starts when it comes into sight.
    page.evaluate("() => document.querySelector('[data-map]')?.scrollIntoView()")
    button = "[data-map-open]:not([hidden])"
    until(page, f"document.querySelector('.map[data-ready=yes], {button}') !== null")
    if page.query_selector(button):
        page.locator(button).click()
    page.wait_for_selector(".map[data-ready=yes]")


def still(page: Page) -> bytes:
    """The picture of the map once it draws the same twice: tiles come and names fade in one after the other."""
    canvas, shots = page.locator(".map canvas"), [b""]

    def rests() -> bool:
        shots.append(canvas.screenshot())
        return shots[-1] == shots[-2]

    until_seen(page, rests, "a map that rests")
    return shots[-1]
