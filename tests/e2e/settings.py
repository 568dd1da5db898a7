"""Settings of the site's processes: the product's, with the agents of tests/e2e/catalogue."""

from pathlib import Path

from agents import catalogue
from chatapp.settings import *  # noqa: F403

catalogue.__path__.append(str(Path(__file__).with_name("catalogue")))
