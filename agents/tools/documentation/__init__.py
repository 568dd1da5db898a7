"""The documentation of this software: split into sections, and ranked by a question. May import Django's database connection."""
