"""How good a model is: every figure of the model card, from arrays. No torch but in ``predict``.

``overread evaluate`` runs it; ``predict`` makes the masks, everything else judges them.
"""
