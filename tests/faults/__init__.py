"""The fault suite: what is promised holds when processes die, sleep and lose each other.

A round: sixty tabs of twenty people follow five Sessions that are being answered; a fault in mid-stream; people go on writing;
the fault is healed; then quiet. After it every frame and every applied Event is compared with a dump of the log.

system, processes   PostgreSQL, Valkey, web and workers, with a proxy (tests/support/proxy.py) on every path
people, settings    users with tokens; the product's settings over a channel layer that loses hints when told to: lossy
small_disk          a file system that can be full
tabs, conversations the clients, and what they talk in
rounds, report      one round, and the table of all (make faults writes bench/FAULTS.md)
truth, checker      the dump of the log, and what readers wrote down compared with it
promises            what the log alone has to show
"""
