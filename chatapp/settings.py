"""Settings. Those that differ between deployments are read from the environment or `.env`, each by a typed reader.

docs/reference/settings.md lists them. A name that ends in _S or _SECONDS counts seconds, one in _MS milliseconds.
"""

import hashlib
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import dj_database_url
import django_stubs_ext
from csp.constants import NONCE, NONE, SELF

from chatapp import env
from chatapp.launcher import embedded
from sessions_core.protocol.frames import FRAME_BYTES

BASE_DIR = Path(__file__).resolve().parent.parent
# Holds templates/, static/ and docs/: the top of a checkout, or chatapp/ itself where the wheel is installed (pyproject.toml).
FILES_DIR = BASE_DIR / "chatapp" if (BASE_DIR / "chatapp" / "templates").is_dir() else BASE_DIR
django_stubs_ext.monkeypatch()  # allows ModelForm[User] and ModelAdmin[Run] at run time
env.load(BASE_DIR / ".env")
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")  # data of the services, static files, the secret key


def _installed_version() -> str:
    """Returns the version of the wheel, or nothing where the code is a checkout."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version("durable-sessions")
    return ""


# The deployment.

DEBUG = env.flag("DEBUG")
VERSION = env.word("VERSION", example="2026-11-26") or _installed_version()  # stands at each Run, beside its worker
SECRET_KEY = env.secret("SECRET_KEY") or embedded.secret_key(VAR_DIR)  # one that is made once and kept in VAR_DIR
HOST = env.host("HOST", "127.0.0.1")  # address that the web server listens on
PORT = env.number("PORT", 8000, least=1, most=65535)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.origins(
    "CSRF_TRUSTED_ORIGINS"
)  # whose pages may post forms and open sockets, beside our own
DATABASE_URL = env.database("DATABASE_URL") or embedded.database_url(VAR_DIR)
REDIS_URL = env.redis("REDIS_URL") or embedded.redis_url(VAR_DIR)
HTTPS = env.flag("HTTPS")  # browsers use https only: marks the cookies as secure
SIGN_UP = env.flag("SIGN_UP", default=True)  # strangers may make themselves an account

# The model.

CHAT_MODEL = env.word(
    "CHAT_MODEL", example="openai:gpt-5"
)  # in pydantic-ai's form, `openai:gpt-5`; with CHAT_MODEL_URL the name alone
CHAT_MODEL_URL = env.url(
    "CHAT_MODEL_URL", ("http", "https"), example="http://127.0.0.1:11434/v1"
)  # an OpenAI-compatible endpoint
CHAT_MODEL_KEY = env.word("CHAT_MODEL_KEY", example="sk-…")
MODEL_SECONDS = env.number("MODEL_SECONDS", 60, least=1, most=3600)  # a model that is silent for so long has failed
LOCAL_LLM = env.flag("LOCAL_LLM") and not CHAT_MODEL  # serves a small model on this machine: `make run LOCAL_LLM=1`
LOCAL_MODEL = env.file(
    "LOCAL_MODEL", example="/srv/models/small.gguf"
)  # absolute path of a GGUF file to serve instead of the default one
# Follows from PORT, so that two clones on one machine have two ports here as well.
LOCAL_MODEL_PORT = env.number("LOCAL_MODEL_PORT", 1024 + (PORT + 10_000) % 64_000, least=1, most=65535)
if LOCAL_LLM:
    CHAT_MODEL = Path(LOCAL_MODEL).stem or "SmolLM2-135M-Instruct"
    CHAT_MODEL_URL = f"http://127.0.0.1:{LOCAL_MODEL_PORT}/v1"

# Runs.

DELTA_MS = env.number("DELTA_MS", 40, least=0, most=5000)  # an agent's text is collected for so long, then written
# A killed worker's Runs go to another one after this time, in which it has to be heard of six times: one slow query loses no Run.
LEASE_S = env.number("LEASE_S", 6, least=1, most=600)
HEARTBEAT_S = min(1.0, LEASE_S / 6)  # a Stop whose hint was lost comes with it, so no longer than a second
# What a Run may spend before it fails, where its agent sets no limits of its own. 0: no limit.
RUN_SECONDS = env.number("RUN_SECONDS", 900, least=1, most=86_400)  # at work
RUN_QUIET_SECONDS = env.number("RUN_QUIET_SECONDS", max(300, 2 * MODEL_SECONDS), least=0, most=86_400)  # no progress
RUN_STEPS = env.number("RUN_STEPS", 10_000, least=0, most=1_000_000)
RUN_REQUESTS = env.number("RUN_REQUESTS", 200, least=0, most=1_000_000)  # to models
RUN_TOKENS = env.number("RUN_TOKENS", 0, least=0, most=1_000_000_000)  # read and written by models
RUN_COST_USD = env.number("RUN_COST_USD", 0, least=0, most=100_000)  # with a limit, an unknown price is refused
WAITING_RUNS = env.number(
    "WAITING_RUNS", 50, least=1, most=1000
)  # of one Session, not yet begun; a post beyond is refused
# The most that an agent is given of a conversation; what is before that is cut, and the agent is told.
PROMPT_MESSAGES = env.number("PROMPT_MESSAGES", 1000, least=2, most=100_000)
PROMPT_BYTES = env.number("PROMPT_BYTES", 1024 * 1024, least=256 * 1024, most=64 * 1024 * 1024)  # in the log
WORKER_RUNS = env.number("WORKER_RUNS", 200, least=1, most=2000)  # Runs at once in one worker process
SCRIPT_AGENT = env.flag("SCRIPT_AGENT")  # offers the scripted agent, for tests and trials
COMPACT_AFTER_S = env.number(
    "COMPACT_AFTER_S", 60, least=0, most=86_400
)  # from a Run's end until its deltas are deleted
RUN_DISPATCHER = "agents.dispatcher.CeleryDispatcher"  # wakes workers, and knows which agents there are

# Limits of one web process.

API_RATE = env.number("API_RATE", 50, least=1, most=10_000)  # requests a second of one user
HTTP_CONNECTIONS = env.number("HTTP_CONNECTIONS", 2_000, least=10, most=1_000_000)  # those that are no WebSockets
REQUEST_HEAD_SECONDS = env.number("REQUEST_HEAD_SECONDS", 10, least=1, most=600)  # for the line and headers to arrive
REQUEST_BODY_SECONDS = env.number("REQUEST_BODY_SECONDS", 60, least=1, most=3_600)  # for the body to arrive
CONNECTIONS_PER_USER = env.number("CONNECTIONS_PER_USER", 200, least=1, most=100_000)
CONNECTIONS_PER_ADDRESS = env.number("CONNECTIONS_PER_ADDRESS", 5_000, least=1, most=1_000_000)
# Bytes of memory for the newest frames of all followed Sessions. Clients that reconnect are served from them.
RECENT_FRAMES_LIMIT = env.number("RECENT_FRAMES_LIMIT", 64 * 1024 * 1024, least=1024 * 1024, most=4 * 1024**3)
# Bytes that may wait for one slow socket. Above it the socket is served from the log, once it reads again.
SEND_BUFFER_LIMIT = env.number("SEND_BUFFER_LIMIT", 512 * 1024, least=16 * 1024, most=64 * 1024 * 1024)

# Limits of all web processes together, within five minutes (chatapp/pages/throttle.py).

SIGN_INS_PER_NAME = env.number("SIGN_INS_PER_NAME", 10, least=1, most=100_000)  # wrong passwords
SIGN_INS_PER_ADDRESS = env.number("SIGN_INS_PER_ADDRESS", 50, least=1, most=100_000)  # wrong passwords
SIGN_UPS_PER_ADDRESS = env.number("SIGN_UPS_PER_ADDRESS", 100, least=1, most=100_000)  # new accounts

# Bytes of memory for rendered messages, which never change.
RENDERED_LIMIT = env.number("RENDERED_LIMIT", 32 * 1024 * 1024, least=1024 * 1024, most=4 * 1024**3)

# Django.

INSTALLED_APPS = [
    *(["daphne"] if "runserver" in sys.argv else []),  # it must come before staticfiles; its import takes 0.25 s
    "chatapp.pages",
    "chatapp.launcher",
    "agents",
    "sessions_core",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "django_htmx",
    "template_partials",
    "csp",
    "ninja",  # its static files for the API's documentation page, which would load a CDN's otherwise
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "chatapp.pages.middleware.ReturnConnection",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "chatapp.pages.timezones.TimeZoneMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chatapp.pages.middleware.Unavailable",
]
ROOT_URLCONF = "chatapp.urls"
ASGI_APPLICATION = "chatapp.asgi.application"
# Of `runserver`; chatapp/launcher/server.py bounds `manage.py web`. daphne's limit of a message holds for what is sent, too, and
# one Event may be larger than any limit; that of a frame holds for what is received alone.
DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = FRAME_BYTES
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = 0
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [FILES_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "chatapp.pages.context.page",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = ["chatapp.pages.sign_in_backend.ThrottledBackend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
CSRF_FAILURE_VIEW = "chatapp.pages.views.errors.csrf_failure"
# A browser sends a cookie to every port of a host, so two deployments on one host need names of their own: with the same ones, a
# sign-in on one would be a sign-out on the other. With the prefix, no subdomain can set the cookie.
_OWN = hashlib.sha256(f"cookies {SECRET_KEY}".encode()).hexdigest()[:8]
_HOST = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_HOST}session_{_OWN}"
CSRF_COOKIE_NAME = f"{_HOST}csrf_{_OWN}"
LANGUAGE_COOKIE_NAME = f"language_{_OWN}"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # else in a cookie, `messages`
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

# The database. A pool, because persistent connections leak under ASGI (docs/decisions.md). A thread uses one connection at a
# time, and each kind of work has threads of its own, so that none can take the connections of another.

DATABASE_POOL_SIZE = env.number("DATABASE_POOL_SIZE", 16, least=10, most=200)
RESERVED_THREADS = 2  # of sessions_core.bridge, for what must go on: appends, heartbeats, the check of tails
HEALTH_THREADS = 2  # of sessions_core.process.health
PASSWORDS_AT_WORK = 1  # passwords that are checked or set, at once: each keeps a core busy for a quarter of a second
VIEWS_AT_WORK = 2  # pages that are read, at once: rendering keeps the interpreter busy, and more would only share it
_SHARED = DATABASE_POOL_SIZE - RESERVED_THREADS - HEALTH_THREADS - PASSWORDS_AT_WORK - VIEWS_AT_WORK
REQUESTS_AT_WORK = _SHARED // 2  # requests of the API, and forms that are sent, at once
BRIDGE_THREADS = _SHARED - REQUESTS_AT_WORK  # of sessions_core.bridge: the sockets' commands, and what Runs read
# Without these, a thread that waits for a vanished server hangs for 15 minutes, and soon the whole pool does. They apply to TCP
# only. Options of DATABASE_URL override them.
_DEAD_SERVER = {
    "connect_timeout": 5,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds until sent data has to be acknowledged
    "keepalives_idle": 5,  # seconds of silence; then three probes, 2 s apart
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
DATABASES = {
    "default": {
        **dj_database_url.parse(DATABASE_URL),
        "CONN_HEALTH_CHECKS": True,  # one round trip before each job, so that no job gets a dead connection
        "OPTIONS": {
            **_DEAD_SERVER,
            # psycopg prepares only statements that ask for it: the append. With None, Django's default, it would prepare none.
            "prepare_threshold": 2**31,
            **dj_database_url.parse(DATABASE_URL).get("OPTIONS", {}),
            # `timeout`: seconds to wait for a free connection.
            "pool": {"min_size": 2, "max_size": DATABASE_POOL_SIZE, "timeout": 10},
        },
    },
}

# Redis or Valkey carries hints between processes and Celery's messages. Losing them costs time, never data.

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "sessions_core.hints.layer.PubSubLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "chat"},
    },
}
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,  # a post does not wait for a broker that is down: the sweeper finds its Run
    "socket_connect_timeout": 1,  # seconds
    "socket_timeout": 5,  # seconds
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker without end
CELERY_WORKER_POOL = "threads"  # Runs share one asyncio loop (agents/runner); each has a thread that only waits
CELERY_WORKER_CONCURRENCY = WORKER_RUNS
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # unused, and it costs a connection and keys in Redis
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "agents"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Static files, with hashed names. Of node_modules only those that chatapp/pages/assets.py lists.

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [FILES_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "chatapp.pages.assets.NodeModulesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
}

# A page may load files of its own site only. An inline script needs the nonce of the request.

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
