"""What the server that readings are forked from loads, once for all of them (see `isolation`).

Nothing here may start a thread: those of a process are not in its forks. OpenBLAS is told so, and DuckDB comes without
its Python package (see `duck`).
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import re

import arro3.core  # noqa: F401
import defusedxml.ElementTree  # noqa: F401
import pyogrio  # noqa: F401
import pyproj  # noqa: F401
import python_calamine  # noqa: F401
import shapely  # noqa: F401

import beffroi.lake.connectors.csv
import beffroi.lake.connectors.jsonrows
import beffroi.lake.connectors.registry
import beffroi.lake.connectors.spreadsheet
import beffroi.lake.connectors.vector
import beffroi.lake.detect.encoding
import beffroi.lake.extents
import beffroi.lake.intake
import beffroi.lake.isolation  # noqa: F401
from beffroi.lake.detect.dates import DATE_FORMS
from beffroi.lake.detect.values import NUMBER_FORMS

for _pattern in (*(form.pattern for form in DATE_FORMS), *(form.pattern for form in NUMBER_FORMS)):
    # Compiled once, kept by `re` in every fork.
    re.compile(_pattern)
