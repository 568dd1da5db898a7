"""Settings of the fault suite's processes: the product's, with a channel layer that loses hints when told to."""

import os
from pathlib import Path
from typing import Any

from agents import catalogue
from chatapp import settings as product
from chatapp.settings import *  # noqa: F403

catalogue.__path__.append(str(Path(__file__).with_name("catalogue")))  # agents with faults

CHANNEL_LAYERS = {
    "default": {**product.CHANNEL_LAYERS["default"], "BACKEND": "tests.faults.lossy.LossyLayer"},
}
# Each connection says whose it is: see stale_writes.py.
_OPTIONS: Any = product.DATABASES["default"]["OPTIONS"]
DATABASES = {
    "default": {**product.DATABASES["default"], "OPTIONS": {**_OPTIONS, "application_name": str(os.getpid())}},
}
# Pages name their files without collectstatic, which is `up`'s part.
STORAGES = {**product.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
