"""Settings of the machines that are measured: the product's, with an agent that tells times."""

from pathlib import Path

from agents import catalogue
from chatapp.settings import *  # noqa: F403

catalogue.__path__.append(str(Path(__file__).with_name("catalogue")))
