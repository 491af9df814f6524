"""G-07, sovereignty: a real browser walks the main pages, and nobody but the town's own server is called."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from faces.browser.conftest import Site, Watched, wait_for_map
from faces.portal.small_town import CODE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

# The walk of `test_accessible_pages.py` refuses any other host on every page; here the requests themselves are read, of
# one page of each kind, workers of the map included, until nothing more is asked for.
PUBLIC = ["/", "/carte/", f"/donnees/{CODE}/arbres/", "/compte/signup/"]
SIGNED_IN = {"agent@bourg.test": ["/agent/"], "elue@bourg.test": ["/elu/"]}
# Schemes that stay inside the browser.
INSIDE = {"blob", "data"}


def hosts_called(visit: Callable[..., Watched], site: Site, pages: list[str], **options: str) -> set[str]:
    """Open each page, its map drawn, and return every host the browser spoke to."""
    watched = visit("/", **options)
    called: set[str] = set()
    asked: list[str] = []
    watched.page.on("request", lambda request: asked.append(request.url))
    for address in pages:
        answer = watched.page.goto(site.url + address)
        assert answer is not None
        assert answer.status == 200, address
        if watched.page.query_selector("[data-map]"):
            wait_for_map(watched.page)
        watched.page.wait_for_load_state("networkidle")
    assert len(asked) > len(pages)
    called |= {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in INSIDE}
    assert watched.strangers == []
    return called


def test_public_pages_call_no_other_host(visit: Callable[..., Watched], site: Site) -> None:
    assert hosts_called(visit, site, PUBLIC) == {urlsplit(site.url).netloc}


@pytest.mark.parametrize("reader", SIGNED_IN)
def test_pages_behind_the_door_call_no_other_host(reader: str, visit: Callable[..., Watched], site: Site) -> None:
    assert hosts_called(visit, site, SIGNED_IN[reader], sign_in=reader) == {urlsplit(site.url).netloc}
