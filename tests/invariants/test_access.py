"""Deny by default: every address, walked with every reader, against one declared table (`access_table.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from beffroi.base.territory import engine, operations
from beffroi.base.territory.models import Person
from beffroi.base.territory.viewer import Role
from beffroi.faces.shell.access import THIRD_PARTY, access_of, operations_of
from beffroi.lake import serving
from beffroi.lake.store import Lake
from beffroi.lake.tasks import bake_missing_tiles
from lake.store import lakes
from territory_makers import AT, OTHER_TOWN, TOWN, make_key, make_person, make_town

TABLE = tomllib.loads((Path(__file__).parent / "access_table.toml").read_text(encoding="utf-8"))
READERS = tuple(TABLE["profiles"]["everyone"])
HOW_TO = 'add to tests/invariants/access_table.toml, under [addresses], once you have checked it: "{key}" = "{profile}"'


@dataclass(frozen=True)
class Address:
    """One address and one method: `key` names it in the table."""

    key: str
    route: str
    method: str
    view: Any

    def path(self, **others: Any) -> str:
        """Return a path of this address, its arguments taken from the table and from `others`."""
        values = {**TABLE["arguments"], **others}
        route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", self.route)
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), route)
        return "/" + re.sub(r"[\^$]|\\Z|\.\*", "", filled)


def addresses() -> list[Address]:
    """Return every address of the installation, API operations one by one, in the order they are resolved."""
    found: dict[str, Address] = {}
    for pattern, route, namespaces in _walked(get_resolver(), "", ()):
        name = ":".join([*namespaces, pattern.name or f"?{route}"])
        behind = operations_of(pattern.callback)
        for method in sorted({method for operation in behind for method in operation.methods}):
            found.setdefault(f"{method} /{route}", Address(f"{method} /{route}", route, method, pattern.callback))
        if not behind:
            # Of two addresses of one name, the second only catches what the first leaves.
            key = name if name not in found else f"{name} ?{route}"
            found[key] = Address(key, route, "GET", pattern.callback)
    return list(found.values())


def _walked(
    resolver: URLResolver, prefix: str, namespaces: tuple[str, ...]
) -> Iterator[tuple[URLPattern, str, tuple[str, ...]]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        match pattern:
            case URLPattern():
                yield pattern, route, namespaces
            case URLResolver():
                inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
                yield from _walked(pattern, route, inner)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A lake that holds three datasets, for everyone, for agents, for one service; and the version of each."""
    folder = tmp_path_factory.mktemp("lake")
    rows = [lakes.tree(number) for number in range(20)]
    versions = {}
    for slug, access in (("libre", "public"), ("agents", "agents"), ("voirie", "service:voirie")):
        versions[slug] = str(lakes.published(folder, rows, slug=slug, access=access).version)
        bake_missing_tiles(Lake(folder), lakes.ref(slug), versions[slug])
    yield folder, versions
    serving.close_all()


@pytest.fixture
def town(settings: Any, datasets: tuple[Path, dict[str, str]]) -> Iterator[dict[str, str]]:
    """A town, its neighbour and the town's datasets; gives their versions."""
    settings.STRONG_AUTH = False
    settings.DEFAULT_COMMUNE = TOWN
    settings.LAKE_DIR, versions = datasets
    make_town()
    make_town(OTHER_TOWN, "Castelnau-le-Lez")
    for code in (TOWN, OTHER_TOWN):
        operations.add_service(territory=code, name="Voirie", at=AT)
    yield versions
    serving.close_all()
    for slug in versions:
        # What those who may correct corrected is laid over the version: it goes, for the next reader.
        home = Lake(settings.LAKE_DIR).folder(lakes.ref(slug))
        (home / "edits.current").unlink(missing_ok=True)
        (home / "dataset.json").touch()


def browser_of(reader: str) -> Client:
    """Return the browser or the program of one reader of the table."""
    people = {
        "resident": (Role.RESIDENT, TOWN, ()),
        "elected": (Role.ELECTED, TOWN, ()),
        "agent": (Role.AGENT, TOWN, ()),
        "agent_of_the_service": (Role.AGENT, TOWN, ("voirie",)),
        "agent_of_another_commune": (Role.AGENT, OTHER_TOWN, ("voirie",)),
        "administrator": (Role.ADMINISTRATOR, TOWN, ()),
    }
    keys = {"key": (), "key_with_scope": (*engine.SCOPES, "stock:552046484")}
    headers = {"Authorization": f"Bearer {make_key(*keys[reader])}"} if reader in keys else {}
    client = Client(raise_request_exception=False, headers=headers)
    if reader in people:
        role, territory, services = people[reader]
        client.force_login(Person.objects.get(pk=make_person(role, territory=territory, services=services)))
    return client


def answer_of(response: Any) -> str:
    """Return what the door answered: "open", "sign-in", "refused"; or what broke."""
    if response.status_code >= 500:
        return f"error {response.status_code}"
    # A view may be stricter than its door (no second factor to show again, say): that is its own answer.
    refusal = getattr(response, "refusal", None)
    return {401: "sign-in", 403: "refused", None: "open"}[refusal]


def test_every_address_has_a_line_in_the_table() -> None:
    missing = [
        HOW_TO.format(key=address.key, profile=_declared(address))
        for address in addresses()
        if address.key not in TABLE["addresses"]
    ]
    assert not missing, "\n" + "\n".join(missing)


def _declared(address: Address) -> str:
    """Return the profile that fits what the view declares, to start from."""
    access = access_of(address.view, method=address.method, url_name=address.key)
    roles = {
        frozenset({Role.AGENT, Role.ADMINISTRATOR}): "agents",
        frozenset({Role.ELECTED, Role.ADMINISTRATOR}): "elected",
        frozenset({Role.ADMINISTRATOR}): "administrators",
        frozenset({Role.AGENT, Role.ELECTED, Role.ADMINISTRATOR}): "staff",
    }
    return "undeclared" if access is None else _profile(access, roles)


def _profile(access: Any, roles: dict[frozenset[Role], str]) -> str:
    plain = ((access.everyone, "everyone"), (access.signed_in, "signed_in"))
    named = next((name for holds, name in plain if holds), roles.get(access.roles, "a new profile"))
    return named + "_or_key" * bool(access.scope)


def test_every_line_of_the_table_has_an_address() -> None:
    known = {address.key for address in addresses()}
    stale = set(TABLE["addresses"]) | set(TABLE["datasets"]["addresses"])
    assert stale - known == set(), "remove these lines of tests/invariants/access_table.toml"


def test_every_argument_of_an_address_has_a_value() -> None:
    named = {name for address in addresses() for name in re.findall(r"<(?:\w+:)?(\w+)>", address.route)}
    missing = named - set(TABLE["arguments"])
    assert not missing, "add them to tests/invariants/access_table.toml under [arguments]"


def test_every_third_party_view_listed_exists() -> None:
    assert set(THIRD_PARTY) - {address.key for address in addresses()} == set(), "remove them from shell/access.py"


def test_every_view_declares_who_may_open_it() -> None:
    silent = [
        f"{address.key}: declare it with @open_to(…), see beffroi.faces.shell.access"
        for address in addresses()
        if access_of(address.view, method=address.method, url_name=address.key) is None
    ]
    assert not silent, "\n" + "\n".join(silent)


@pytest.mark.django_db
@pytest.mark.parametrize("reader", READERS)
def test_every_address_answers_each_reader_as_declared(reader: str, town: dict[str, str]) -> None:
    client = browser_of(reader)
    listed = [address for address in addresses() if address.key in TABLE["addresses"]]
    wrong = []
    for address in listed:
        expected = TABLE["profiles"][TABLE["addresses"][address.key]][reader]
        response = client.generic(address.method, address.path())
        b"".join(response)  # to its end: the client then closes it, and what it holds
        got = answer_of(response)
        wrong += [f"{address.key} ({address.path()}): {got} for {reader}, declared {expected}"] * (got != expected)
    assert not wrong, "\n" + "\n".join(wrong)
    assert len(listed) > 50


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMINISTRATOR])
def test_without_a_second_factor_no_reserved_address_opens(role: Role, town: dict[str, str], settings: Any) -> None:
    settings.STRONG_AUTH = True
    client = browser_of(role.value)
    reserved = [
        address for address in addresses() if TABLE["addresses"].get(address.key) not in ("everyone", "signed_in")
    ]
    opened = []
    for address in reserved:
        response = client.generic(address.method, address.path())
        led = response.status_code == 403 or response.get("Location", "").startswith("/compte/second-facteur/")
        opened += [address.key] * (not led)
    assert not opened
    assert reserved


READS = {
    "libre": {
        "anonymous", "resident", "elected", "agent", "agent_of_the_service", "agent_of_another_commune",
        "administrator", "key", "key_with_scope",
    },
    "agents": {"agent", "agent_of_the_service", "administrator", "key_with_scope"},
    "voirie": {"agent_of_the_service"},
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("reader", sorted(READS["libre"]))
def test_a_dataset_is_found_by_those_who_may_read_it_and_by_nobody_else(reader: str, town: dict[str, str]) -> None:
    client = browser_of(reader)
    by_key = {address.key: address for address in addresses()}
    wrong = []
    for slug, readers in READS.items():
        for key in TABLE["datasets"]["addresses"]:
            path = by_key[key].path(slug=slug, version=town[slug])
            response = client.get(path)
            b"".join(response)  # to its end: the client then closes it, and what it holds
            status = response.status_code
            found, expected = status in (200, 204, 302), reader in readers
            told = found == expected and (found or status == 404)
            wrong += [f"{key} ({path}): {status} for {reader}"] * (not told)
    assert not wrong, "\n" + "\n".join(wrong)
