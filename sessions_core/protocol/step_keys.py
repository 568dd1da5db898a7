"""Keys of Steps that the engine looks up across the Runs of a Session. The keys of all others belong to agents."""

from typing import Final

SUMMARY: Final = "summary-"  # of what a prompt has left out; the id of the first Message that it shows follows
