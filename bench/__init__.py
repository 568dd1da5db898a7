"""Benchmarks: this server beside its peers. See README.md."""
