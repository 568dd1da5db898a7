"""Live readers: a Connection over any transport, and all Connections of this process. No protocol is known here.

May import `hub` and all below it. What only one protocol needs belongs to `consumers` or to its gateway: it implements
`connection.Transport` and calls `Delivery.serve`, which brings bounded memory, heartbeats, rechecks, presence and draining.

connection   one reader: its send buffer, the task that empties it, and its Subscriptions
delivery     all Connections: sweeps, removals, draining;  draining  the flag
recheck      whether those who are connected still may be
presence     who is present, shared between processes
limits       how much one Connection, one user and one address may ask for
"""
