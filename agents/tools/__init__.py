"""Tools: what agents of the catalogue can use and share. Plain functions, which know neither Runs nor the database.

May import the standard library and libraries. A new tool is a file or a folder here.
"""
