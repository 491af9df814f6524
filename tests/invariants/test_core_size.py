"""The core install stays under 600 MB: what only one room needs is an extra."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution

from packaging.markers import default_environment
from packaging.requirements import Requirement

LIMIT_MB = 600


def closure(
    name: str, extras: frozenset[str] = frozenset(), seen: set[tuple[str, frozenset[str]]] | None = None
) -> set[str]:
    """Return the names of every distribution that installing `name` brings in this environment."""
    seen = set() if seen is None else seen
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    try:
        requirements = distribution(name).requires or []
    except PackageNotFoundError:
        return set()
    names = {name}
    for text in requirements:
        requirement = Requirement(text)
        environments = [{**default_environment(), "extra": extra} for extra in (extras or {""})]
        if requirement.marker is None or any(requirement.marker.evaluate(env) for env in environments):
            wanted = re.sub(r"[-_.]+", "-", requirement.name).lower()
            names |= closure(wanted, frozenset(requirement.extras), seen)
    return names


def test_the_core_install_stays_small() -> None:
    sizes_mb = {
        name: sum(file.locate().stat().st_size for file in distribution(name).files or [] if file.locate().is_file())
        / 1e6
        for name in closure("beffroi")
    }
    total_mb = sum(sizes_mb.values())
    largest = sorted(sizes_mb.items(), key=lambda item: -item[1])[:8]
    assert len(sizes_mb) > 30, "the closure of the dependencies was not found"
    assert total_mb < LIMIT_MB, f"core install: {total_mb:.0f} MB; move to an extra, or replace, among {largest}"
