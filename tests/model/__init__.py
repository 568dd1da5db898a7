"""The protocol of Runs, model-checked: random acts of people, workers and clocks, on a model in plain Python and on the database.

After each act both must have said the same, appended the same Events and hold the same Runs. Some acts happen two at a time, and
then one of the two orders must explain what came of them. At the end every Run must come to its end.

abstract   the model: what each act does, without a database; rules: turns, waits, ends, pauses
acts       the acts, and which of them make sense now
labels     names for ids
real       the same acts on the services and their tables; clocks move by rows, not by waiting
"""
