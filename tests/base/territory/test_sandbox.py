"""A sandbox: one per commune, never listed among the real ones, emptied by its staff alone."""

from __future__ import annotations

import pytest

from beffroi.base.catalogue import operations as catalogue
from beffroi.base.kernel.errors import Refused
from beffroi.base.territory import operations, queries, sandbox
from beffroi.base.territory.viewer import Grant, Role, Viewer
from beffroi.lake import sandbox as lake_part
from territory_makers import AT, OTHER_TOWN, TOWN, make_key, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> str:
    """A town; the rooms that would write files do not take part."""
    monkeypatch.setattr(sandbox, "_parts", {})
    code = make_town()
    operations.add_service(territory=code, name="Voirie", at=AT)
    return code


def reset(of: str, by: Viewer | None = None) -> str:
    return operations.reset_sandbox(of=of, by=by, at=AT)


def test_it_is_made_once_and_is_no_commune(town: str) -> None:
    code = reset(town)
    assert code == reset(town) == "99000"
    assert [one.code for one in queries.communes()] == [town]
    found = queries.sandbox_of(town)
    assert found is not None
    assert (found.code, found.sandbox_of, found.fictional) == (code, town, True)
    assert queries.commune_of_host("ailleurs.example").code == town  # type: ignore[union-attr]


def test_two_communes_have_two(town: str) -> None:
    make_town(OTHER_TOWN, "Castelnau")
    assert {reset(town), reset(OTHER_TOWN)} == {"99000", "99001"}


def test_reset_brings_the_services_back_and_takes_the_keys(town: str) -> None:
    code = reset(town)
    make_key(territory=code)
    operations.add_service(territory=code, name="Essai", at=AT)
    reset(town)
    assert [one.slug for one in queries.services(code)] == ["voirie"]
    administrator = Viewer(1, (Grant(code, Role.ADMINISTRATOR),))
    assert queries.api_keys(administrator, code) == []


def test_rooms_clear_then_fill(town: str) -> None:
    heard: list[str] = []
    operations.register_sandbox_part(
        "essai", clear=lambda code: heard.append(f"clear {code}"), fill=lambda one, at: heard.append(f"fill {one.code}")
    )
    code = reset(town)
    assert heard == [f"clear {code}", f"fill {code}"]


@pytest.mark.parametrize(
    ("grants", "allowed"),
    [
        ((Grant(TOWN, Role.AGENT),), True),
        ((Grant("99000", Role.ADMINISTRATOR),), True),
        ((Grant(TOWN, Role.ELECTED),), False),
        ((Grant(OTHER_TOWN, Role.AGENT),), False),
        ((), False),
    ],
)
def test_only_its_staff_resets_it(grants: tuple[Grant, ...], allowed: bool, town: str) -> None:
    by = Viewer(None, grants)
    if allowed:
        assert reset(town, by) == "99000"
    else:
        with pytest.raises(Refused):
            reset(town, by)
        assert queries.sandbox_of(town) is None


def test_a_sandbox_has_none_of_its_own(town: str) -> None:
    with pytest.raises(sandbox.NoSandbox):
        reset(reset(town))


def test_rights_move_and_stay_nowhere_else() -> None:
    real = Viewer(7, (Grant(TOWN, Role.AGENT, frozenset({"voirie"})), Grant(OTHER_TOWN, Role.ADMINISTRATOR)))
    moved = real.moved(real=TOWN, sandbox="99000")
    assert moved.grants == (Grant("99000", Role.AGENT, frozenset({"voirie"})),)
    assert moved.clearances(TOWN) == {"public"}


@pytest.mark.parametrize("clear", [catalogue.forget_sandbox, lake_part.clear])
def test_no_room_clears_a_real_town(clear: object, town: str) -> None:
    with pytest.raises(Refused):
        clear(town)  # type: ignore[operator]
