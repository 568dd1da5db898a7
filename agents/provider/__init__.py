"""Language models: pydantic-ai behind one streaming function, and its errors as sentences for people.

May import `agents.sdk`. Imports nothing by itself: pydantic-ai takes more than a second, and the web process never loads it.
A new way to reach a model is a file here.

chat   the model of CHAT_MODEL;  failures  its errors;  local  a small model on this machine
"""
