"""Read files in a child process, as imports do, and tell what came of each."""

import multiprocessing
from pathlib import Path

from lake.vector.vector_bases import EXTENT


def _verdicts(paths: list[Path], pipe) -> None:
    """Read each file and send what came of it: what the import process does."""
    import duckdb

    from beffroi.lake.connectors.vector import read_vector
    from beffroi.lake.reading import ReadOptions, Unreadable

    con = duckdb.connect(config={"threads": 1})
    for path in paths:
        try:
            readings = read_vector(path, ReadOptions(extent=EXTENT), con)
        except Unreadable as refusal:
            pipe.send((path.parent.name, "refused", str(refusal)))
        except Exception as error:
            pipe.send((path.parent.name, "fault", repr(error)))
        else:
            pipe.send((path.parent.name, "read", _balance(readings)))
    pipe.close()


def _balance(readings) -> str:
    """Say whether every row read is kept or rejected."""
    for reading in readings:
        kept = reading.con.execute(f"SELECT count(*) FROM {reading.table}").fetchone()[0]
        if kept + reading.rejects.total != reading.rows_read:
            return f"{kept} + {reading.rejects.total} != {reading.rows_read}"
    return "balanced"


def judged(paths: list[Path], seconds: float = 120) -> tuple[list[tuple[str, str, str]], int | None]:
    """Return the verdicts of a child process on `paths`, and its exit code."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_verdicts, args=(paths, theirs))
    process.start()
    theirs.close()
    verdicts = []
    while ours.poll(seconds):
        try:
            verdicts.append(ours.recv())
        except EOFError:
            break
    process.join(seconds)
    process.kill()
    process.join()
    return verdicts, process.exitcode
