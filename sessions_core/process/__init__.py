"""What concerns this process as a whole: its health, and Python's garbage collector.

May import everything below it. A figure for monitoring, or a setting of the interpreter, goes here.
"""
