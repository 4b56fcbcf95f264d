"""Pixels on their way to the screen: planes, grey tables, overlays, outlines. No Qt."""
