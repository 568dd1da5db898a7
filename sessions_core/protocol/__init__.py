"""Plain values: Events, frames, refusals, ids, times, the states of a Run, and the fold that a screen shows.

May import the standard library and msgspec; no Django, no Channels, no database, no asyncio. Most of it is what an independent
client has to know (docs/reference/wire.md).

A new kind of Event goes into `events` and `timeline`; a new frame into `frames`; a new refusal into `errors`.
"""
