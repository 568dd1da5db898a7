from django.apps import AppConfig


class LauncherConfig(AppConfig):
    name = "chatapp.launcher"
    verbose_name = "Launcher"
