"""The runner: executes Runs. One Runner on one asyncio loop in each worker process, for all of its Runs at once.

May import `agents.sdk` and all of `sessions_core` below `consumers`; no Celery, no single agent. The database decides who may
write; the runner only stops an agent soon after it has lost that right. A new duty of workers goes into `maintenance`.

worker       the loop on its thread, for Celery's threads;  runner       from claim to outcome
running      one attempt, and how it is stopped;            outcome      writing how a Run has ended
maintenance  heartbeats, sweeps, compaction, cancels;       appender     one statement for the writes of many Runs
history      reads the log;                             prompt_view  what of it a model is shown
steers       takes what people write to a Run at work
watchdog     a process that ends a blocked worker;      marks        what it sees of the loop
kept         what earlier attempts have kept;       outside  people, signals and the clock
preparation  what agents load before their first Run; limits  what a Run may spend
"""
