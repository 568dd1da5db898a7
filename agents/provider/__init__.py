"""Language models: pydantic-ai behind one streaming function, and its errors as sentences for people.

May import `agents.sdk`. Imports nothing by itself: pydantic-ai takes more than a second, and the web process never loads it.
A new way to reach a model is a file here.

chat      the model of CHAT_MODEL;  compatible  what servers do otherwise than OpenAI
failures  its errors;               ending      why an answer is not whole
loop      requests and tool calls in turn;  request    one request, streamed into the Message
calls     performs tool calls;              approval   people decide about them;  schema  what is shown of a tool
history   the conversation for a model;     usage, prices  what a request used, and its cost
local     a small model on this machine
"""
