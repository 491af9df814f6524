"""What the server that readings are forked from loads, once for all of them (see `isolation`).

Nothing here may start a thread: those of a process are not in its forks. OpenBLAS is told so; DuckDB is left out.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import arro3.core  # noqa: F401
import defusedxml.ElementTree  # noqa: F401
import pyogrio  # noqa: F401
import pyproj  # noqa: F401
import python_calamine  # noqa: F401
import shapely  # noqa: F401

import beffroi.lake.detect.encoding
import beffroi.lake.detect.headers
import beffroi.lake.isolation  # noqa: F401
