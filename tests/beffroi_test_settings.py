"""Settings of the test runs: a data folder of their own, thrown away at the end; the database as DATABASE_URL says."""

import atexit
import os
import shutil
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="beffroi-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["BEFFROI_DATA_DIR"] = _FOLDER
os.environ.setdefault("BEFFROI_SECRET_KEY", "only-for-tests-and-long-enough-to-be-accepted")

from beffroi.config.settings import *  # noqa: E402, F403

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
