"""The services that one machine runs by itself: PostgreSQL and Valkey from their wheels, when no URL is given."""
