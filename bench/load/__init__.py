"""Load generators, each a process of its own, so that it takes no CPU time from the interpreter of what it measures."""
