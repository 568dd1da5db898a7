"""Agents of the measures. `bench.settings` adds them to the catalogue."""
