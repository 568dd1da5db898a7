"""The agents: each file beside this one that holds an `@agent` is one. `sdk` is what they are written with, `runner` runs them."""
