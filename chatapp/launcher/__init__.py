"""Everything on one machine: `manage.py up`, the web server, and PostgreSQL and Valkey from installed wheels.

May import `chatapp.pages`. A program that `up` starts is added in `supervisor/parts`; a service in `embedded/`.
"""
