"""Agents that ask people, for the browser tests: found by the site's processes (tests/e2e/settings.py)."""
