"""Named architectures. A manifest names one; nothing but these can be loaded."""

from inference.runtime.nets.nodule import NoduleRescorer, NoduleUNet

__all__ = ["NoduleRescorer", "NoduleUNet"]
