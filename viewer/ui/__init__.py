"""The window: the only room that knows Qt."""

from viewer.ui import overrides

overrides.guard()  # before the first class of Qt's is made
