from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "chatapp.pages"
    verbose_name = "Pages"
