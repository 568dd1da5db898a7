"""Plain values: all that can be said, and in which words. Events, frames, refusals, ids, times, and the fold that a screen shows.

May import the standard library and msgspec; no Django, no Channels, no database, no asyncio. What is here is what an independent
client has to know (docs/reference/wire.md).

A new kind of Event goes into `events` and `timeline`; a new frame into `frames`; a new refusal into `errors`.
"""
