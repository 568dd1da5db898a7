from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class LauncherConfig(AppConfig):
    name = "chatapp.launcher"
    verbose_name = "Launcher"

    @override
    def ready(self) -> None:
        import_module("chatapp.launcher.checks")
