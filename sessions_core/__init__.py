"""The durable session engine: log, runs, fan-out, sockets, admin and HTTP API."""
