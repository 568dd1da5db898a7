"""A large database: 1.3 million Events, 150,000 Runs, 200,001 Sessions, one of them with 100,000 Messages.

fill.sql   makes it, in an empty one
acts       what people and workers do in it, timed; run as a process of its own

And a large process: one web server that follows 10,000 Sessions.

many_sessions  makes them;  appends  appends Events to them
watched_web    the web server, which watches its own loop and log;  followers  its clients
"""
