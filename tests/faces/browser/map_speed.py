"""Measure the map as a mid-range phone would show it: `beffroi demo`, then

PYTHONPATH=tests .venv/bin/python -m faces.browser.map_speed URL [--rate 4] [--runs 3]

A window of 390 × 844 pixels, the processor slowed down four times (CDP), an empty cache, the loopback. Told for the
first view: the time until everything drawn is there, bytes received, long tasks. Then for the journey (the map is
panned, turned and zoomed for some seconds): the longest task and the work of the main thread per frame. Here pixels are
drawn by the processor (SwiftShader), in a process of their own: frames per second here say nothing of a phone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from playwright.sync_api import Browser, CDPSession, Page, Request, sync_playwright

import servers

PHONE = {"width": 390, "height": 844}
WATCH = """
window.tasks = [];
const keep = list => { for (const one of list.getEntries()) window.tasks.push([one.startTime, one.duration]); };
new PerformanceObserver(keep).observe({type: 'longtask', buffered: true});
window.readyAt = 0;
const wait = setInterval(() => {
    if (document.querySelector('.map[data-ready=yes]')) { window.readyAt = performance.now(); clearInterval(wait); }
}, 10);
"""
FRAMES = """
window.frames_ = 0;
const count = () => { window.frames_++; window.counting = requestAnimationFrame(count); };
count();
"""
KEYS = ["ArrowRight"] * 3 + ["Shift+ArrowRight"] * 3 + ["+"] * 2 + ["ArrowUp"] * 3 + ["-"] * 2 + ["Shift+ArrowUp"] * 2


class Network:
    """The bytes received, by kind, as they crossed the wire; those that the workers of the map ask for too."""

    def __init__(self, page: Page) -> None:
        self._ended: list[Request] = []
        page.on("requestfinished", lambda request: self._ended.append(request))

    def kilobytes(self) -> dict[str, float]:
        """Return the kilobytes received so far, and the number of requests under the kind with « _n »."""
        found: dict[str, float] = defaultdict(float)
        for request in self._ended:
            path = request.url.split("?")[0]
            kind = "tiles" if "/tuiles/" in path else "scripts" if path.endswith(".js") else "rest"
            found[kind] += request.sizes()["responseBodySize"] / 1000
            found[f"{kind}_n"] += 1
        return found


def measure(browser: Browser, url: str, rate: float) -> dict[str, float]:
    """Open the map once and travel on it; return the figures of this run."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=1, locale="fr-FR", is_mobile=True, has_touch=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    network = Network(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
    # The time the thread worked, whatever else the machine does meanwhile.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(WATCH)
    page.goto(f"{url}/carte/")
    _until(page, "window.readyAt > 0", seconds=120)
    ready, tasks = page.evaluate("window.readyAt"), page.evaluate("window.tasks")
    work, got = _metrics(session)["TaskDuration"], network.kilobytes()
    first = {
        "first_view_s": ready / 1000,
        "first_longest_task_ms": max((one[1] for one in tasks), default=0.0),
        "first_blocked_ms": sum(max(0.0, one[1] - 50) for one in tasks),
        "first_main_thread_s": work,
        "scripts_kb": got["scripts"],
        "tiles_kb": got["tiles"],
        "tiles": got["tiles_n"],
        "rest_kb": got["rest"],
    }
    page.wait_for_timeout(1000)
    first |= _journey(page, session)
    first["journey_tiles_kb"] = network.kilobytes()["tiles"] - got["tiles"]
    context.close()
    return first


def _journey(page: Page, session: CDPSession) -> dict[str, float]:
    start = page.evaluate("performance.now()")
    page.evaluate(FRAMES)
    before = _metrics(session)
    page.locator(".map canvas").focus()
    for key in KEYS:
        page.keyboard.press(key)
        page.wait_for_timeout(350)
    after, frames = _metrics(session), page.evaluate("cancelAnimationFrame(window.counting), window.frames_")
    tasks = [one for one in page.evaluate("window.tasks") if one[0] >= start]
    return {
        "journey_longest_task_ms": max((one[1] for one in tasks), default=0.0),
        "journey_long_tasks": len(tasks),
        "main_thread_ms_per_frame": 1000 * (after["TaskDuration"] - before["TaskDuration"]) / max(1, frames),
    }


def _metrics(session: CDPSession) -> dict[str, float]:
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def _until(page: Page, expression: str, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        if time.monotonic() > end:
            raise TimeoutError(f"still false after {seconds} s: {expression}")
        page.wait_for_timeout(50)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the median of the runs, one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=servers.chromium_program(), args=servers.CHROMIUM_FLAGS)
        runs = [measure(browser, asked.url, asked.rate) for _ in range(asked.runs)]
        browser.close()
    sys.stdout.write(json.dumps({key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}) + "\n")


if __name__ == "__main__":
    main()
