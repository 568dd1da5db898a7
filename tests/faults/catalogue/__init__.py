"""Agents with faults, found by the fault suite's processes only (tests/faults/settings.py)."""
