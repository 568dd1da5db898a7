"""Tests of the WebSocket, frame by frame. A test opens sockets with `connect` and `as_user`, and uses them through a Tab.

conftest  the server of the test run, and sockets to it
server    the real server, in a thread
tab       a client that keeps the frames and applies the Events
"""
