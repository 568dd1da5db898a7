"""The acts: a public function here checks rights, writes rows and Events in one transaction, and sends hints after the commit.

May import `log` and all below it. An act opens its own `atomic(durable=True)`; the functions that it calls open none. A new
act goes into the module of its noun, so that a call reads as a sentence: `runs.cancel(…)`, `sessions.archive(…)`.

callers   who sends a request or opens a socket;  access   what a user may do in a Session
sessions  messages  runs  deletion   the acts of a conversation
tokens    devices          what belongs to one user;  people   deleting one;  workers   which are alive, and their agents
waiting   Runs that wait, and waking them;  steps  what a Run keeps for its later attempts
asks      questions to people;  consents  tools that ask no more;  signals  facts from outside
answers   whether one fits its question;  json_schema  what fits a schema, within bounds
pruning   removes what nobody needs any more
dispatch  the Protocol through which a Run is handed to a worker
failures  the Refusal for any exception: an outage is told from what can never pass
"""
