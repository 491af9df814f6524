"""Take the pictures of `docs/images/` from a running demonstration: `make pictures DEMO=file [ONLY="carte elus"]`.

The file holds the line that `beffroi demo --json` printed: the address of the site and its sign-ins.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

import servers

SIZES = {"ordinateur": (1280, 860), "telephone": (390, 844)}
PAGES = {
    "accueil": "/",
    "services": "/services/",
    "lieux": "/services/1-23/",
    "donnees": "/donnees/",
    "jeu": "/donnees/{code}/arbres/",
    "tableau": "/donnees/{code}/arbres/tableau/",
    "rapport": "/donnees/{code}/adresses/rapport/",
    "carte": "/carte/",
    "carte-relief": "/carte/?theme=education#z=16&lat=45.8951&lon=-3.995&pente=60&style=relief&terrain=1",
    "quartiers": "/carte/quartiers/?couche=arbres",
    "ici": "/carte/ici/?lat=45.8951&lon=-3.995",
    "carte-en-liste": "/carte/liste/?couche=defibrillateurs",
    "composants": "/composants/",
}
RESERVED = {"agents": ("agent", "/agent/"), "elus": ("elected", "/elu/")}
CODE = "00001"
# A map without a graphics processor, on a machine that does other things too.
PATIENCE_MS = 300_000
# The browser itself packs the picture: WebP, a quarter of the PNG's weight.
TO_WEBP = """async png => {
    const picture = new Image();
    picture.src = 'data:image/png;base64,' + png;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext('2d').drawImage(picture, 0, 0);
    const packed = await (await canvas.convertToBlob({type: 'image/webp', quality: 0.8})).arrayBuffer();
    return btoa(Array.from(new Uint8Array(packed), byte => String.fromCharCode(byte)).join(''));
}"""


def take(browser: Browser, page: Page, target: Path) -> None:
    """Keep what `page` shows as a WebP picture, once its map is drawn."""
    button = "[data-map-open]:not([hidden])"
    if page.query_selector("[data-map][data-town]"):
        page.wait_for_selector(f".map[data-ready=yes], {button}", timeout=PATIENCE_MS)
        if page.query_selector(button):
            page.locator(button).click()
        page.evaluate("scrollTo(0, 0)")
    if page.query_selector("[data-map][data-town], [data-map][data-sync], [data-pick]"):
        page.wait_for_selector(".map[data-ready=yes]", timeout=PATIENCE_MS)
        page.wait_for_timeout(500)
    blank = browser.new_page()
    packed = blank.evaluate(TO_WEBP, base64.b64encode(page.screenshot(timeout=PATIENCE_MS)).decode())
    blank.close()
    target.write_bytes(base64.b64decode(packed))


def main(demo: Path, folder: Path, only: list[str]) -> None:
    """Take every picture, or those named, on a computer and on a phone."""
    told = json.loads(demo.read_text())
    url, people = told["url"], {one["role"]: one for one in told["users"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=servers.chromium_program(), args=[*servers.CHROMIUM_FLAGS, "--headless=new"]
        )
        for size, (width, height) in SIZES.items():
            for name, address in PAGES.items():
                if only and name not in only:
                    continue
                page = browser.new_page(viewport={"width": width, "height": height}, locale="fr-FR")
                page.goto(url + address.format(code=CODE), timeout=PATIENCE_MS)
                take(browser, page, folder / f"{name}-{size}.webp")
                page.close()
            for name, (role, address) in RESERVED.items():
                if only and name not in only:
                    continue
                context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
                page = context.new_page()
                page.goto(f"{url}/compte/login/")
                page.fill("input[type=email]", people[role]["email"])
                page.fill("input[type=password]", people[role]["password"])
                with page.expect_navigation():
                    page.keyboard.press("Enter")
                page.goto(url + address)
                take(browser, page, folder / f"{name}-{size}.webp")
                context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
