"""Where the data files that ship with Beffroi are: use cases, datasets, rules."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2]


def shipped_folder(name: str) -> Path:
    """Return the folder `name` (``usecases``, ``datasets``, ``rules``) of this installation.

    A wheel carries it under ``beffroi/data``; a checkout holds it beside ``src``.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for candidate in (_PACKAGE / "data" / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name}/ is missing from this installation of Beffroi; install it again")
