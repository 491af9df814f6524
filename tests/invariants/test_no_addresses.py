"""Nothing committed names a registry's address or a folder of somebody's machine; lock files carry no address."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_lock_files_carry_hashes_and_no_addresses() -> None:
    for path in sorted((ROOT / "requirements").glob("*.lock")):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text, f"{path.name}: run `make lock`"
    assert '"resolved"' not in (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")


# Cut in two, so that this file does not name them either.
FORBIDDEN = [
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "deb.debian" + ".org",
    "/work/" + "main",
    "/root" + "/",
]


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_file_names_this(pattern: str) -> None:
    command = ["git", "grep", "-lIF", pattern, "--", "."]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    assert found.stdout == "", f"take {pattern} out of these files"
