"""The fault suite: the promises hold while processes die, pause and lose each other.

In a round, sixty tabs of twenty people follow five Sessions that are being answered. A fault happens in mid-stream, people go on
writing, the fault is healed, and every answer comes to its end. Then every frame and every applied Event is compared with a
dump of the log.

system, processes   PostgreSQL, Valkey, web and workers, with a proxy (tests/support/proxy.py) on every path
people, settings    users with tokens; the product's settings with a channel layer that loses hints when told to: lossy
catalogue           agents that only the processes here know: one does all that a Run can do, others have a fault
small_disk          a file system that can be full
tabs, conversations the clients, and the Sessions they follow
rounds, report      one round, and the table of all (make faults writes bench/FAULTS.md)
truth, checker      the dump of the log, and the comparison of what readers got with it
promises            the promises that the log alone can show
stale_writes        a trigger that notes who writes for a Run that is another worker's
"""
