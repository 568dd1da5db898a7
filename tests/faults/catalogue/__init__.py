"""Agents with faults, and one to be disturbed. Only the fault suite's processes find them (tests/faults/settings.py)."""
