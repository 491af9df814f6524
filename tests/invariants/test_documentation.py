"""Documentation that drifts from the product fails here."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

from beffroi.config import cli
from beffroi.config.environment import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
FLOORS_WITH_ROOMS = ("base", "faces", "sense", "serve")
FOLDERS = [path for floor in FLOORS_WITH_ROOMS for path in (ROOT / "src" / "beffroi" / floor).glob("*")]
# The kernel is no room: nobody asks it a question.
ROOMS = sorted({path.name for path in FOLDERS if (path / "__init__.py").exists()} - {"kernel"} | {"lake"})


def test_every_setting_is_documented_with_its_default() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        row = f"| `{setting.name}` | `{setting.default or '(vide)'}` | {setting.purpose} |"
        assert row in page, f"docs/settings.md lacks this row:\n{row}"


def test_no_documented_setting_is_imaginary() -> None:
    names = {setting.name for setting in SETTINGS}
    known = names | {"BEFFROI_DATA"}  # where the tests find the open data
    for page in PAGES:
        found = set(re.findall(r"\bBEFFROI_[A-Z_]+\b", page.read_text(encoding="utf-8")))
        assert found <= known, f"{page.relative_to(ROOT)} names settings that do not exist: {found - known}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_page(room: str) -> None:
    page = DOCS / "rooms" / f"{room}.md"
    assert page.exists(), f"write docs/rooms/{room}.md: the question it answers, its doors, its limits"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"


def documented_commands() -> list[str]:
    found = set()
    for page in PAGES:
        for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            found |= {line.removeprefix("$ ").strip() for line in block.splitlines() if "beffroi " in line}
    return sorted(line for line in found if not line.startswith("#"))


@pytest.mark.parametrize("line", documented_commands())
def test_documented_commands_exist_with_their_options(line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[next(i for i, word in enumerate(words) if word.endswith("beffroi")) + 1 :]
    command: click.Command = cli.beffroi
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"{line}: no command {words[0]}"
        command, words = found, words[1:]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.split("=")[0] for word in words if word.startswith("--")}
    assert used <= options | {"--help", "--version"}, f"{line}: unknown options {used - options}"


def test_every_command_of_the_table_loads() -> None:
    for name, module in cli.COMMANDS.items():
        command = getattr(importlib.import_module(f"beffroi.config.commands.{module}"), f"{name}_command")
        assert isinstance(command, click.Command)
        assert command.help, f"beffroi {name} has no help"


def test_make_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z-]+)`", page.read_text(encoding="utf-8")):
            assert target in targets, f"{page.relative_to(ROOT)}: no `make {target}`"


def test_decisions_are_short_and_complete() -> None:
    for page in (DOCS / "decisions").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for heading in ("Contexte", "Choix", "Ce que nous laissons"):
            assert heading in text, f"{page.name}: say « {heading} »"
