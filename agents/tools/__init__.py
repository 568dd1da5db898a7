"""Tools: functions that agents share. They know no Run.

May import libraries, nothing else of `agents`. A new tool is a file or a folder here.
"""
