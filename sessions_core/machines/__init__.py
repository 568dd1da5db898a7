"""State machines without I/O: no socket, no clock, no database. The caller passes the time in and carries out what comes back.

May import `protocol`. Each is tested alone, with random sequences of calls (tests/plain).

feed           what each reader of a Session is sent next
recent_frames  the newest frames of Sessions, in bounded memory
send_buffer    what is still to be sent to one client, in bounded memory
roster         who is present in a Session
token_bucket   how many requests or frames somebody may send
deltas         neighbouring deltas joined to one
"""
