"""Gather, compile and check the translation catalogues, with no system library.

French is the language of the sources: a message's identifier is its French text. Messages come from Python (gettext
calls, the templates of `Sentence` and of every `BeffroiError`), from the page templates, and from the data files that
people read (titles, needs and promises of the use cases).

    python tools/translations.py extract | compile [FILE.po…] | check
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "beffroi"
LOCALES = SOURCES / "faces" / "shell" / "locale"
LANGUAGES = ("en",)
GETTEXT = {"_", "gettext", "gettext_lazy", "gettext_noop", "N_"}
PLURAL = {"ngettext", "ngettext_lazy"}
# Declarations whose texts the register of processing shows.
DECLARED = {"Purpose": ("purpose", "categories", "recipients", "kept_because"), "Retention": ("until",)}
DATA_KEYS = (
    "title", "need", "promise", "label", "description", "group", "help", "choices",
    "instructions", "excluded", "about",
    "who", "cost", "why", "how", "on_paper", "purpose", "visit", "method", "notes",
)  # fmt: skip

# Lists of what people read.
LIST_KEYS = ("papers", "house_rules", "equipment", "exempt")

Message = tuple[str, str]  # the singular, and the plural or ""


def _literal(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def sentence_classes(trees: dict[Path, ast.Module]) -> set[str]:
    """Return the names of `Sentence`, `BeffroiError` and every class that derives from them, by name."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"Sentence", "BeffroiError"}
    while more := {name for name, parents in bases.items() if parents & known} - known:
        known |= more
    return known


def python_messages(tree: ast.Module, sentences: set[str]) -> Iterator[tuple[int, Message]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in PLURAL and len(node.args) > 1 and _literal(node.args[0]):
            yield node.lineno, (_literal(node.args[0]), _literal(node.args[1]))
        elif name in DECLARED:
            wanted = [keyword.value for keyword in node.keywords if keyword.arg in DECLARED[name]]
            texts = [_literal(child) for value in wanted for child in ast.walk(value)]
            yield from ((node.lineno, (text, "")) for text in texts if text)
        elif name in GETTEXT | sentences:
            texts = [_literal(arg) for arg in node.args[:1]]
            texts += [
                _literal(keyword.value) for keyword in node.keywords if keyword.arg in ("what", "remedy", "template")
            ]
            yield from ((node.lineno, (text, "")) for text in texts if text)


def template_messages(path: Path) -> Iterator[tuple[int, Message]]:
    from babel.messages.extract import extract_python
    from django.utils.translation.template import templatize

    # What templatize leaves of the page's indentation would not be Python.
    source = "\n".join(
        line.lstrip() for line in templatize(path.read_text(encoding="utf-8"), origin=str(path)).splitlines()
    )
    keywords = {"gettext": None, "_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
    stream = io.BytesIO(source.encode("utf-8"))
    for line, _function, texts, _comments in extract_python(stream, keywords, [], {"encoding": "utf-8"}):
        # ngettext carries its number after the two texts.
        singular, plural = texts[:2] if isinstance(texts, tuple) else (texts, "")
        if singular:
            yield line, (str(singular), str(plural or ""))


def data_messages(path: Path) -> Iterator[tuple[int, Message]]:
    content = path.read_text(encoding="utf-8")
    for table in _tables(tomllib.loads(content)):
        for key in DATA_KEYS:
            value = table.get(key, "")
            # The choices of a question are a table of their own: code = what people read.
            listed = value if key == "notes" and isinstance(value, list) else (value,)
            for text in value.values() if isinstance(value, dict) else listed:
                if isinstance(text, str) and text:
                    yield 1, (text, "")
        for key in LIST_KEYS:
            for text in table.get(key, ()):  # type: ignore[attr-defined]
                yield 1, (text, "")


def _tables(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _tables(child)
    elif isinstance(value, list):
        for child in value:
            yield from _tables(child)


def gather() -> dict[Message, list[tuple[str, str]]]:
    """Return every message of the product with the places it comes from."""
    paths = sorted(path for path in SOURCES.rglob("*.py") if "migrations" not in path.parts)
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    sentences = sentence_classes(trees)
    found: dict[Message, list[tuple[str, str]]] = defaultdict(list)
    sources = [(path, python_messages(tree, sentences)) for path, tree in trees.items()]
    sources += [(path, template_messages(path)) for path in sorted(SOURCES.rglob("templates/**/*.html"))]
    sources += [(path, template_messages(path)) for path in sorted(SOURCES.rglob("templates/**/*.txt"))]
    sources += [(path, data_messages(path)) for path in sorted((ROOT / "usecases").rglob("*.toml"))]
    sources += [(path, data_messages(path)) for path in sorted((ROOT / "rules" / "circulation").glob("*.toml"))]
    sources += [(path, data_messages(path)) for path in sorted((SOURCES / "faces").rglob("data/**/*.toml"))]
    for path, messages in sources:
        for _line, message in messages:
            # No line numbers: they would change the catalogues at every edit.
            place = (str(path.relative_to(ROOT)), "")
            if place not in found[message]:
                found[message].append(place)
    return found


def catalogue(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def extract() -> int:
    found = gather()
    for language in LANGUAGES:
        path = catalogue(language)
        old = polib.pofile(str(path)) if path.exists() else polib.POFile()
        kept = {(entry.msgid, entry.msgid_plural): entry for entry in old}
        new = polib.POFile(wrapwidth=110)
        new.metadata = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
            "Language": language,
            "Plural-Forms": "nplurals=2; plural=(n != 1);",
        }
        for (singular, plural), places in sorted(found.items()):
            before = kept.get((singular, plural))
            entry = polib.POEntry(msgid=singular, msgstr=before.msgstr if before else "", occurrences=places)
            if plural:
                entry.msgid_plural = plural
                entry.msgstr_plural = before.msgstr_plural if before else {0: "", 1: ""}
            if re.search(r"%\(|%s|%d", singular):
                entry.flags.append("python-format")
            new.append(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        new.save(str(path))
        print(f"{path.relative_to(ROOT)}: {len(new)} messages, {len(new.untranslated_entries())} to translate")
    return 0


def compile_catalogues(paths: list[Path]) -> int:
    for path in paths:
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))
    return 0


def holes(text: str) -> list[str]:
    """Return the names a translation must keep: ``{name}``, ``%(name)s``."""
    return sorted(set(re.findall(r"\{[a-z_]*[^}]*\}|%\([a-z_]+\)[sd]", text)))


def check() -> int:
    found = gather()
    problems = []
    for language in LANGUAGES:
        path = catalogue(language)
        entries = {(e.msgid, e.msgid_plural): e for e in (polib.pofile(str(path)) if path.exists() else [])}
        for message in found.keys() - entries.keys():
            problems.append(
                f"{language}: not in the catalogue, run `make messages`: {message[0]!r} ({found[message][0][0]})"
            )
        for message in entries.keys() - found.keys():
            problems.append(f"{language}: no longer used, run `make messages`: {message[0]!r}")
        for message, entry in entries.items():
            texts = list(entry.msgstr_plural.values()) if message[1] else [entry.msgstr]
            if not all(texts):
                problems.append(f"{language}: to translate: {message[0]!r}")
            elif holes(message[0]) != holes(texts[0]):
                problems.append(f"{language}: placeholders differ from the French: {message[0]!r}")
    for problem in sorted(problems)[:60]:
        print(problem, file=sys.stderr)
    print(f"translations: {len(found)} messages, {len(problems)} problems")
    return 1 if problems else 0


def main(arguments: list[str]) -> int:
    action, files = (arguments or ["check"])[0], [Path(name) for name in arguments[1:]]
    if action == "compile":
        return compile_catalogues(files or sorted(LOCALES.rglob("*.po")))
    return {"extract": extract, "check": check}[action]()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
