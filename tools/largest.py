"""Print the ten largest modules and functions of the product: what wants a second look."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "src" / "beffroi"


def functions(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield lines, f"{path.relative_to(SOURCES)}:{node.lineno} {node.name}"


def main() -> None:
    modules, found = [], []
    for path in SOURCES.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        modules.append((text.count("\n"), str(path.relative_to(SOURCES))))
        found += functions(path, ast.parse(text))
    for title, rows in (("modules", modules), ("functions", found)):
        print(f"The ten largest {title}:")
        for lines, name in sorted(rows, reverse=True)[:10]:
            print(f"  {lines:5d}  {name}")


if __name__ == "__main__":
    main()
