"""This software's own documentation, as sections that can be searched. The Guide answers from it."""
