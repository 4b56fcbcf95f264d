"""Colours of outlines in pictures of an evaluation: readers, the old model, the new one."""

READERS_COLOUR, MODEL_COLOUR, OLD_COLOUR = "#1b9e77", "#d95f02", "#7570b3"
