"""What can be done: each public function is an act that checks rights, spans rows, commits, and then sends hints.

May import `log` and all below it. An act opens its own `atomic(durable=True)`; what is below it opens none. A new act goes
into the module of its noun, so that a call reads as a sentence: `runs.cancel(…)`, `sessions.archive(…)`.
"""
