"""This process as a whole: its health for balancers, and its garbage collector.

May import `live` and all below it. A new health check, a metric, or a setting of the interpreter goes here.
"""
