"""The WSGI application that `beffroi serve` gives to granian: public features first, then the site."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "beffroi.config.settings")
site = get_wsgi_application()

# Once Django is set up: the branch reads its settings.
from beffroi.faces.api.ogc.fast import with_fast_path  # noqa: E402

application = with_fast_path(site)
