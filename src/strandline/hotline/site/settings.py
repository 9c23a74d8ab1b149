"""Django's settings, for whichever face this process is (``STRANDLINE_FACE``)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from strandline.hotline.config import Config, Face, read_config
from strandline.hotline.errors import NotConfigured

HOTLINE: Config = read_config()

_FACE_URLS = {
    Face.PUBLIC: HOTLINE.public_url,
    Face.CONSOLE: HOTLINE.console_url,
    Face.PARTNERS: HOTLINE.partners_url,
}

DEBUG = False
SECRET_KEY = (
    HOTLINE.secret("django-secret") if HOTLINE.face in _FACE_URLS else "only web processes sign"
)
ALLOWED_HOSTS = [urlsplit(url).hostname or "" for url in _FACE_URLS.values()] + [
    "127.0.0.1",
    "localhost",
]
#: Where this face is reached from outside: behind a proxy that ends TLS, Django sees plain HTTP.
CSRF_TRUSTED_ORIGINS = [_FACE_URLS[HOTLINE.face]] if HOTLINE.face in _FACE_URLS else []
if HOTLINE.face == Face.PUBLIC and HOTLINE.intake.onion_url:
    ALLOWED_HOSTS.append(urlsplit(HOTLINE.intake.onion_url).hostname or "")
    CSRF_TRUSTED_ORIGINS.append(HOTLINE.intake.onion_url)
ROOT_URLCONF = f"strandline.hotline.site.urls.{HOTLINE.face.value}"
WSGI_APPLICATION = "strandline.hotline.site.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "strandline.hotline.audit",
    "strandline.hotline.accounts",
    "strandline.hotline.jobs",
    "strandline.hotline.reports",
    "strandline.hotline.assessment",
    "strandline.hotline.wellbeing",
    "strandline.hotline.hashlist",
    "strandline.hotline.exchange",
    "strandline.hotline.feedback",
    "strandline.hotline.takedown",
    "strandline.hotline.matchservice",
    "strandline.hotline.accountability",
    "strandline.hotline.statistics",
    "strandline.hotline.transparency",
    "strandline.hotline.console",
    "strandline.hotline.intake",
    "strandline.hotline.partners",
    "strandline.hotline.site",
]

_BEFORE = [
    "strandline.hotline.site.headers.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "strandline.hotline.site.bodies.small_plain_forms_only",
]
#: Sessions exist at the console alone: no staff session can reach the other two faces.
MIDDLEWARE_BY_FACE = {
    Face.PUBLIC: [*_BEFORE, "django.middleware.csrf.CsrfViewMiddleware"],
    Face.CONSOLE: [
        *_BEFORE,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "strandline.hotline.site.headers.closed_unless_declared",
    ],
    Face.PARTNERS: [*_BEFORE, "django.middleware.csrf.CsrfViewMiddleware"],
    Face.WORKER: [],
}
MIDDLEWARE = MIDDLEWARE_BY_FACE[HOTLINE.face]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "strandline.hotline.site.context.hotline",
            ]
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's settings for ``url``; see ``docs/settings.md``."""
    if url.startswith("sqlite:///"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            # Opening a file and reading its schema costs as much as a page.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                # Writers queue instead of failing half-way; readers never wait for them.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise NotConfigured(
            "STRANDLINE_DATABASE_URL begins with sqlite:/// or postgresql://; see docs/settings.md."
        )
    # postgresql:///name?host=/run/postgresql uses a Unix socket and needs no password.
    socket = parse_qs(parts.query).get("host", [""])[0]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username or "",
        "PASSWORD": "" if socket else HOTLINE.secret("database-password"),
        "HOST": socket or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database(HOTLINE.database_url)}

AUTH_USER_MODEL = "accounts.Person"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"

SESSION_COOKIE_NAME = "console"
SESSION_COOKIE_AGE = 10 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HOTLINE.secure_cookies
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
#: One cookie name a face: on one host, ports do not separate cookies.
CSRF_COOKIE_NAME = f"{HOTLINE.face.value}-form"
#: Gone with the browser's window: nothing on a shared computer tells of the visit for long.
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "strandline.hotline.site.views.form_expired"

#: A message many times too long still comes back with all that was typed, three bytes a letter.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS: list[str] = []

LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

#: No line of any log carries a visitor's address or a request's: requests are not logged at all,
#: failures are logged with their traceback and the page's name only.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no-addresses": {"()": "strandline.hotline.site.logs.NoAddresses"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        "django.request": {
            "handlers": ["stderr"],
            "filters": ["no-addresses"],
            "level": "ERROR",
            "propagate": False,
        },
        "django.server": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
