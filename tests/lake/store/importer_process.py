"""Publish one version of the trees in a process of its own; killed by itself at the step it is told, if any.

python importer_process.py LAKE ROWS SECOND [STEP]
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from beffroi.lake import store
from lake.store import lakes

folder, rows, second = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
fatal = sys.argv[4] if len(sys.argv) > 4 else ""


def say(word: str) -> None:
    """Tell the test how far the import has come."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def killed_at(name: str) -> None:
    """Die as a power cut would, without a word."""
    say(name)
    {True: lambda: os.kill(os.getpid(), signal.SIGKILL)}.get(name == fatal, lambda: None)()


store.on_step = killed_at
say("ready")
outcome = lakes.published(
    folder, [lakes.tree(i) for i in range(rows)], accesses={"note": "agents"}, at=lakes.AT + timedelta(seconds=second)
)
say(outcome.status)
