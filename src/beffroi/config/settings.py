"""Django's settings, all derived from the environment (see `environment.py` and docs/settings.md)."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import dj_database_url

from beffroi.base.kernel.files import written_once
from beffroi.config.environment import read_environment
from beffroi.config.identity import oidc_providers

ENVIRONMENT = read_environment()
BASE_DIR = Path(__file__).resolve().parents[1]
DATA_DIR: Path = ENVIRONMENT["BEFFROI_DATA_DIR"]
LAKE_DIR = DATA_DIR / "lake"
UPLOAD_DIR = DATA_DIR / "uploads"
MIRROR_DIR: Path | None = ENVIRONMENT["BEFFROI_MIRROR"]
HOSTING: Path | None = ENVIRONMENT["BEFFROI_HOSTING"]

DEBUG = ENVIRONMENT["BEFFROI_DEBUG"]
ALLOWED_HOSTS = ENVIRONMENT["BEFFROI_HOSTS"]
DEFAULT_COMMUNE = ENVIRONMENT["BEFFROI_COMMUNE"]
STRONG_AUTH = ENVIRONMENT["BEFFROI_STRONG_AUTH"]
OIDC_FILE = ENVIRONMENT["BEFFROI_OIDC"]
IMPORT_MEMORY_MB = ENVIRONMENT["BEFFROI_IMPORT_MEMORY_MB"]
IMPORT_TIMEOUT_S = ENVIRONMENT["BEFFROI_IMPORT_TIMEOUT_S"]
UPLOAD_MAX_MB = ENVIRONMENT["BEFFROI_UPLOAD_MAX_MB"]
PAYFIP_URL = ENVIRONMENT["BEFFROI_PAYFIP_URL"]
PAYFIP_PAGE = ENVIRONMENT["BEFFROI_PAYFIP_PAGE"]


def _secret_key() -> str:
    """Return the configured key, or one drawn once and kept beside the registry (mode 0600)."""
    if ENVIRONMENT["BEFFROI_SECRET_KEY"]:
        return str(ENVIRONMENT["BEFFROI_SECRET_KEY"])
    kept = DATA_DIR / "secret.key"
    if not kept.exists():
        written_once(kept, secrets.token_urlsafe(64).encode())
    return kept.read_text()


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "beffroi.base.territory",
    "beffroi.base.journal",
    "beffroi.base.privacy",
    "beffroi.base.catalogue",
    "beffroi.lake",
    "beffroi.sense.places",
    "beffroi.sense.mobility",
    "beffroi.sense.twin",
    "beffroi.sense.planning",
    "beffroi.sense.live",
    "beffroi.sense.indicators",
    "beffroi.serve.cases",
    "beffroi.serve.reports",
    "beffroi.serve.offers",
    "beffroi.serve.bookings",
    "beffroi.serve.payments",
    "beffroi.serve.procedures",
    "beffroi.serve.alerts",
    "beffroi.faces.shell",
    "beffroi.faces.portal",
    "beffroi.faces.backoffice",
    "beffroi.faces.cockpit",
    "beffroi.faces.api",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_tasks",
    "django_tasks_db",
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "beffroi.faces.shell.middleware.PagesMiddleware",
    "beffroi.faces.shell.middleware.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "beffroi.faces.shell.middleware.AccessMiddleware",
]

ROOT_URLCONF = "beffroi.config.urls"
WSGI_APPLICATION = "beffroi.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

_SQLITE = {
    "ENGINE": "beffroi.base.registry.sqlite",
    "NAME": DATA_DIR / "registry.sqlite3",
    # Closed after each request, the last connection of a process would bring the journal into the file each time.
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        # WAL lets readers and one writer work together; IMMEDIATE takes the write lock at the start of a
        # transaction, so that two writers wait for each other instead of failing half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
    },
    # Django's default, which pytest-django knows of its own engine only: else each of its processes names a file.
    "TEST": {"NAME": ":memory:"},
}
DATABASES: dict[str, Any] = {"default": _SQLITE}
if ENVIRONMENT["DATABASE_URL"]:
    DATABASES["default"] = dj_database_url.parse(ENVIRONMENT["DATABASE_URL"], conn_max_age=60, conn_health_checks=True)
    # Only the statements of `base.registry` are bound, hence prepared, by the server.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 2)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

AUTH_USER_MODEL = "territory.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    # CNIL deliberation 2022-100: 12 characters and more when nothing else protects the account.
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
# One password field: a telephone can show what is typed, and a forgotten password is mended by e-mail.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Asking for the e-mail first is also what hides who has an account; without a mail server nobody could answer.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if ENVIRONMENT["BEFFROI_EMAIL_URL"] else "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "beffroi.faces.portal.accounts.AccountAdapter"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENVIRONMENT["BEFFROI_HTTPS"] else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "beffroi.faces.portal.accounts.PasskeyForm"}
MFA_TOTP_ISSUER = "Beffroi"
# A telephone's clock may be half a minute away from ours.
MFA_TOTP_TOLERANCE = 1
# Browsers give passkeys to http://localhost too, and only there.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT["BEFFROI_HTTPS"]
SOCIALACCOUNT_ADAPTER = "beffroi.faces.portal.oidc.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = oidc_providers(OIDC_FILE)
# A link, not a form: the page's policy (form-action 'self') forbids a form that ends at the provider.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "optional"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

# Shared by the processes of one machine: a limit of attempts holds however many of them answer.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": DATA_DIR / "cache"},
}

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "faces" / "shell" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Paris"

STATIC_URL = "/static/"
# Assets are hashed by Vite; WhiteNoise serves them straight from the packages.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Vite's names carry twelve digits of their content (web/vite.config.ts): a browser never asks for them twice.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/beffroi/assets/.+\.[0-9a-f]{12}\.\w+$"

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = ENVIRONMENT["BEFFROI_EMAIL_FROM"]
EMAIL_REPLY = ENVIRONMENT["BEFFROI_EMAIL_REPLY"]
IMAP_PASSWORD = ENVIRONMENT["BEFFROI_IMAP_PASSWORD"]
INNER_HOSTS: list[str] = ENVIRONMENT["BEFFROI_INNER_HOSTS"]
WEBHOOK_PRIVATE = ENVIRONMENT["BEFFROI_WEBHOOK_PRIVATE"]
PUSH = ENVIRONMENT["BEFFROI_PUSH"]
PUSH_KEY = Path(ENVIRONMENT["BEFFROI_PUSH_KEY"] or DATA_DIR / "push.key")
NOTES_KEY = Path(ENVIRONMENT["BEFFROI_NOTES_KEY"] or DATA_DIR / "notes.key")
SEAL_KEY = Path(ENVIRONMENT["BEFFROI_SEAL_KEY"] or DATA_DIR / "seal.key")
if ENVIRONMENT["BEFFROI_EMAIL_URL"]:
    from urllib.parse import unquote, urlsplit

    _mail = urlsplit(ENVIRONMENT["BEFFROI_EMAIL_URL"])
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or 25
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_TLS = EMAIL_PORT == 587
    EMAIL_TIMEOUT = 20

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if ENVIRONMENT["BEFFROI_HTTPS"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Behind one proxy: limits count the visitor's address, not the proxy's, which would lock everyone out together.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT["BEFFROI_LOG_LEVEL"]},
    "loggers": {"django.request": {"level": "ERROR"}},
}
