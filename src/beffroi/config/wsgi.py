"""The WSGI application that `beffroi serve` gives to granian."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beffroi.config.settings")
site = get_wsgi_application()
# The pages are read before the first visitor, who waited a second for them.
resolve("/")

# Once Django is set up: the branch reads its settings, and routes are compiled while the first pages are answered.
from beffroi.faces.api.ogc.fast import with_fast_path  # noqa: E402
from beffroi.faces.portal.laid import with_edits  # noqa: E402
from beffroi.sense.mobility.tasks import warm_in_background  # noqa: E402

application = with_fast_path(with_edits(site))
warm_in_background()
