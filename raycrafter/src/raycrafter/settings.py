"""Django's settings, made from the configuration file (see config/)."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from raycrafter import __version__, config, logs

RAYCRAFTER, DEVELOPMENT = config.from_environment()

SECRET_KEY = RAYCRAFTER.django.secret_key
DEBUG = False
ALLOWED_HOSTS = RAYCRAFTER.django.allowed_hosts
CSRF_TRUSTED_ORIGINS = RAYCRAFTER.django.origins
USE_TZ = True
TIME_ZONE = RAYCRAFTER.django.time_zone
LANGUAGE_CODE = "en-gb"
USE_I18N = False
ROOT_URLCONF = "raycrafter.urls"
WSGI_APPLICATION = "raycrafter.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "raycrafter.jobs",
    "raycrafter.api",
    "raycrafter.web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "raycrafter.web.middleware.content_security_policy",  # before all that may answer by itself
    "django.contrib.sessions.middleware.SessionMiddleware",
    # an answer that has not changed is not sent again to whoever asks with its ETag
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_database = RAYCRAFTER.database
if DEVELOPMENT:
    Path(RAYCRAFTER.media.root).mkdir(parents=True, exist_ok=True)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _database.name,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL"},
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _database.name,
            "USER": _database.user,
            "PASSWORD": _database.password,
            "HOST": _database.host,
            "PORT": _database.port,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"sslmode": "verify-full", "sslrootcert": _database.ca_file, "connect_timeout": 5},
        }
    }

if RAYCRAFTER.cache.servers:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": RAYCRAFTER.cache.servers,
            "KEY_PREFIX": "raycrafter",
            # a server that is down is a miss, not an error
            "OPTIONS": {"connect_timeout": 2, "timeout": 2, "ignore_exc": True},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- files ---------------------------------------------------------------------------------------------------------
MEDIA_ROOT = RAYCRAFTER.media.root
MEDIA_URL = "/protected/"  # nginx serves it to X-Accel-Redirect only
if MEDIA_ROOT:
    # beside the place they go to: a rename instead of a copy, and no gigabytes in /tmp
    FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT
FILE_UPLOAD_PERMISSIONS = 0o660
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o2770
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
STATIC_URL = "/static/"
STATIC_ROOT = os.environ.get("RAYCRAFTER_STATIC_ROOT") or str(Path(sys.prefix).parent / "static")
STORAGES = {
    "default": (
        {"BACKEND": "raycrafter.storage.HttpStorage"}
        if RAYCRAFTER.media.url
        else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"allow_overwrite": True}}
    ),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage."
        + ("StaticFilesStorage" if DEVELOPMENT else "ManifestStaticFilesStorage")
    },
}
# Downloads: nginx sends the bytes where it stands before Django.
SENDFILE = not DEVELOPMENT

# --- mail ------------------------------------------------------------------------------------------------------------
_mail = RAYCRAFTER.mail
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _mail.host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.tls == "starttls", _mail.tls == "tls"
EMAIL_TIMEOUT = 10  # seconds, per operation on the socket
DEFAULT_FROM_EMAIL = _mail.sender

# --- who may do what -----------------------------------------------------------------------------------------------
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "job-list"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "raycrafter.web.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEVELOPMENT
SESSION_COOKIE_AGE = int(timedelta(days=1).total_seconds())
# Not in the cache as well: every web host has its own, and who signed out at one must be signed out at all.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not DEVELOPMENT
# asked over the socket: by the host itself, and by nginx on behalf of somebody
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^_staff$"]
SECURE_HSTS_SECONDS = 0 if DEVELOPMENT else int(timedelta(days=365).total_seconds())
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEVELOPMENT
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "raycrafter.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "raycrafter.api.authentication.MayWrite",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["raycrafter.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "raycrafter.api.pagination.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "login": "10/min",
        "user": "50/second",
        "file": "200/second",
        "submit": "120/min",
        "schema": "60/min",
    },
    "EXCEPTION_HANDLER": "raycrafter.api.errors.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # nginx is the only proxy before us: it sets X-Forwarded-For
    "NUM_PROXIES": 1,
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=30), "AUTH_HEADER_PREFIX": "Token", "TOKEN_LIMIT_PER_USER": 50}
SPECTACULAR_SETTINGS = {
    "TITLE": "RayCrafter",
    "DESCRIPTION": "Render jobs on an HPC cluster. Errors are application/problem+json.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "raycrafter.api.schema.add_problem",
    ],
    "ENUM_NAME_OVERRIDES": {
        "JobState": "raycrafter.jobs.states.JobState",
        "FrameState": "raycrafter.jobs.states.FrameState",
        "BatchState": "raycrafter.jobs.states.BatchState",
        "TransferState": "raycrafter.jobs.states.TransferState",
        "WorkspaceState": "raycrafter.jobs.states.WorkspaceState",
    },
}

LOGGING_CONFIG = None
logs.configure()
