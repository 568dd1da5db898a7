from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = "Agents"

    @override
    def ready(self) -> None:
        import_module("agents.checks")
