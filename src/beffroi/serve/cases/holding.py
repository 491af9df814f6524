"""Files that wait for the rest of a request: made safe at once, given back when it is sent, else swept away."""

from __future__ import annotations

from collections.abc import Sequence

from django.core import signing

from beffroi.serve.cases import store
from beffroi.serve.cases.definition import BadCase, Upload
from beffroi.serve.cases.intake import prepare_files

_SALT = "beffroi.cases.held-files"
# Less than the night's sweep waits (`tasks.GRACE`): what is given back is still there.
LIFE_S = 12 * 3600


def hold_files(uploads: Sequence[Upload]) -> str:
    """Make files safe and durable, and return a sealed reference to them, good for twelve hours; "" for none.

    Raises:
        BadCase: as `prepare_files`.
    """
    kept = [(file.name, file.digest) for file in prepare_files(uploads)]
    return signing.dumps(kept, salt=_SALT) if kept else ""


def held_files(reference: str) -> list[Upload]:
    """Return the files that a reference stands for, ready to be sent; none for "".

    Raises:
        BadCase: the reference is not ours or is too old, or a file is gone.
    """
    if not reference:
        return []
    try:
        kept = signing.loads(reference, salt=_SALT, max_age=LIFE_S)
        return [Upload(name, store.path_of(digest).read_bytes()) for name, digest in kept]
    except (signing.BadSignature, OSError) as error:
        raise BadCase(
            "les photos jointes plus tôt ne sont plus là", where="photo", remedy="joignez-les de nouveau"
        ) from error
