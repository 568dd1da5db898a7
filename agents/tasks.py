"""The Celery tasks: one for each agent, so that an agent can be routed to a queue of its own."""
