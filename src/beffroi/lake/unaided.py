"""What a process that only reads must not find, loaded before all the rest (see `isolation`).

pyogrio loads pandas, 1.2 s, where an extra has brought it, for tables nobody asks for; DuckDB looks for pyarrow,
through every folder of modules, each time it is handed a table: 1 ms to find nothing.
"""

from __future__ import annotations

import sys

for _name in ("geopandas", "pandas", "pyarrow"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
