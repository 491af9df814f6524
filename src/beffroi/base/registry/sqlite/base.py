"""The connection to the registry's file. Django loads it by the name of this module (``DATABASES["ENGINE"]``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Keep a connection as long as its file is the registry: `beffroi restore` puts another in its place."""

    _file: tuple[int, int] | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open the file, and remember which one it is."""
        opened = super().get_new_connection(conn_params)
        self._file = self._present_file()
        return opened

    def is_usable(self) -> bool:
        """Tell whether the file opened is the one that now bears the name; asked once per request."""
        return self._file == self._present_file()

    def _present_file(self) -> tuple[int, int] | None:
        try:
            found = Path(self.settings_dict["NAME"]).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
