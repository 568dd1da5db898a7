"""The agents: each file beside this one that holds an `@agent` is one. They are written with `sdk`; `runner` runs them."""
