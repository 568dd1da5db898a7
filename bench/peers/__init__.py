"""The servers of other projects that ours is compared with, set up as their documentation says."""
