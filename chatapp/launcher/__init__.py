"""Everything on one machine: `manage.py up`, the web server, and PostgreSQL and Valkey from installed wheels.

May import `chatapp.pages`. Add a program that `up` runs in `supervisor/programs`, a service beside PostgreSQL and Valkey in
`embedded/`, a command in `management/commands/`.
"""
