"""Measure what the map asks of a phone: `beffroi demo`, then

PYTHONPATH=tests .venv/bin/python -m faces.browser.map_speed URL [--rate 4] [--runs 3] [--address /carte/]

A window of 390 × 844 pixels, an empty cache, the loopback. Told: the bytes received; the processor time of the main
thread until streets and buildings stand, and its longest task; then, for a journey of some seconds (the map is panned,
turned and zoomed), the longest task and the work of each frame. Processor time is read from a trace, so that it is the
same whatever else the machine does, and is multiplied by `rate`: a mid-range phone is taken to be four times slower.
The journey has a time of its own: thirty images a second, however slowly this machine draws them, so that each carries
what it would on a phone that keeps the pace, no more (tiles that come) and no less (steps of the way). Its shapes are
asked for and not drawn.

What is not proved here: pixels are drawn by the processor (SwiftShader), in a process of its own that the main thread
waits for; a phone has a graphics processor for that. These waits are no processor time, and the clock (`clock_…`) that
holds them is told aside: on a shared machine it says nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

from playwright.sync_api import Browser, Page, Request, sync_playwright

import servers

PHONE = {"width": 390, "height": 844}
WATCH = """
window.seen = {};
for (const sign of ['view', 'ready']) new MutationObserver(() => {
    if (!window.seen[sign] && document.querySelector(`.map[data-${sign}=yes]`)) {
        window.seen[sign] = performance.now();
        performance.mark(`map-${sign}`);
    }
}).observe(document, {subtree: true, attributes: true, attributeFilter: [`data-${sign}`]});
"""
# The time of the page: its own until the journey is paced, then one thirtieth of a second at each image.
PACED = """
{
    const [clock, frame] = [performance.now.bind(performance), window.requestAnimationFrame.bind(window)];
    const step = 1000 / 30;
    let [told, began, drawn, paced] = [0, 0, 0, false];
    window.pace = () => { told = began = clock(); paced = true; };
    // Every call is made, of no triangle: shapes are the work of a graphics processor, which is not here.
    const drawing = WebGL2RenderingContext.prototype, shapes = drawing.drawElements;
    drawing.drawElements = function(kind, count, ...rest) { shapes.call(this, kind, paced ? 0 : count, ...rest); };
    // Within an image time goes on, up to the next one: work that stops after two milliseconds still does.
    performance.now = () => paced ? told + Math.min(clock() - began, step - 0.1) : clock();
    window.requestAnimationFrame = draw => frame(at => {
        if (paced && at !== drawn) [told, began, drawn] = [told + step, clock(), at];
        draw(paced ? told : at);
    });
}
"""
TRACED = ["-*", "toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]
# Pixels are not what is measured: few of them leave the processor to the scripts, which do the same for any number.
SCALE = 0.25
FRAME_MS = 1000 / 30
KEYS = (
    ["ArrowRight"] * 3
    + ["Shift+ArrowRight"] * 3
    + ["+"] * 2
    + ["ArrowUp"] * 3
    + ["-"] * 2
    + ["Shift+ArrowDown", "Shift+ArrowUp"]
)
ROUNDS = 3


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


def measure(browser: Browser, url: str, address: str, rate: float) -> dict[str, float]:
    """Open the map once and travel on it; return the figures of this run, processor times multiplied by `rate`."""
    context = browser.new_context(
        viewport=PHONE,
        device_scale_factor=SCALE,
        locale="fr-FR",
        is_mobile=True,
        has_touch=True,
        service_workers="block",
    )
    page = context.new_page()
    network = Network(page)
    page.add_init_script(PACED)
    page.add_init_script(WATCH)
    browser.start_tracing(page=page, categories=TRACED)
    page.goto(url + address)
    _until(page, "window.seen.ready || document.querySelector('[data-map-open]:not([hidden])') !== null", seconds=60)
    if page.query_selector("[data-map-open]:not([hidden])"):
        # Without a graphics processor the picture waits: the map is asked for as soon as it may be.
        page.evaluate("document.querySelector('[data-map-open]').click()")
    _until(page, "window.seen.ready > 0", seconds=180)
    clock, got = page.evaluate("window.seen"), network.kilobytes()
    page.wait_for_timeout(1000)
    page.evaluate("performance.mark('journey'); window.pace()")
    page.locator(".map canvas").focus()
    for key in KEYS * ROUNDS:
        before = page.evaluate("location.hash")
        page.keyboard.press(key)
        # However slow the pixels come, each step is drawn to its end: the address then says where it led.
        _until(page, f"location.hash !== {before!r}", seconds=30)
    trace = Trace(browser.stop_tracing())
    travelled = network.kilobytes()["tiles"] - got["tiles"]
    context.close()
    until_view = trace.tasks(0, trace.mark("map-view"))
    journey = trace.tasks(trace.mark("journey"))
    frames = trace.frames(trace.mark("journey"))
    return {
        "scripts_kb": got["scripts"],
        "tiles_kb": got["tiles"],
        "tiles": got["tiles_n"],
        "rest_kb": got["rest"],
        "first_view_work_s": rate * sum(until_view) / 1000,
        "first_view_longest_task_ms": rate * max(until_view),
        "journey_longest_task_ms": rate * max(journey),
        "journey_tasks_over_200_ms": float(sum(rate * one > 200 for one in journey)),
        "journey_frames": float(len(frames)),
        "frame_work_median_ms": rate * statistics.median(frames),
        "frame_work_p95_ms": rate * statistics.quantiles(frames, n=20)[-1],
        "frames_within_30_a_second": sum(rate * one <= FRAME_MS for one in frames) / len(frames),
        "journey_tiles_kb": travelled,
        "clock_first_view_s": clock["view"] / 1000,
        "clock_all_drawn_s": clock["ready"] / 1000,
    }


class Trace:
    """What the main thread of the page did, task by task, in milliseconds of processor time."""

    def __init__(self, told: bytes) -> None:
        events = json.loads(told)["traceEvents"]
        marked = [one for one in events if one.get("name") == "map-view"]
        self._thread = (marked[0]["pid"], marked[0]["tid"])
        self._events = [one for one in events if (one.get("pid"), one.get("tid")) == self._thread]

    def mark(self, name: str) -> float:
        """Return when the page marked something, on the clock of the trace; the last time."""
        return max(float(one["ts"]) for one in self._events if one.get("name") == name)

    def tasks(self, since: float, until: float = float("inf")) -> list[float]:
        """Return the processor time of each task that began between two moments."""
        return self._spent("RunTask", since, until)

    def frames(self, since: float) -> list[float]:
        """Return the processor time that scripts took for each frame since a moment."""
        return self._spent("FireAnimationFrame", since, float("inf"))

    def _spent(self, name: str, since: float, until: float) -> list[float]:
        return [
            one.get("tdur", 0) / 1000
            for one in self._events
            if one.get("name") == name and one.get("ph") == "X" and since <= one["ts"] < until
        ]


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
    parser.add_argument("--address", default="/carte/")
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=servers.chromium_program(), args=servers.CHROMIUM_FLAGS)
        runs = [measure(browser, asked.url.rstrip("/"), asked.address, asked.rate) for _ in range(asked.runs)]
        browser.close()
    sys.stdout.write(json.dumps({key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}) + "\n")


if __name__ == "__main__":
    main()
