"""Live readers: a Connection over any transport, and all of them together. Which protocol carries them is not known here.

May import `hub` and all below it. What differs between transports belongs to `consumers`.

connection   one reader: its send buffer, its writer and its Subscriptions
delivery     all Connections of this process: sweeps, removals, draining
recheck      whether the rights of those who are connected still hold
presence     who is present, between processes;  limits  how much one Connection may ask
"""
