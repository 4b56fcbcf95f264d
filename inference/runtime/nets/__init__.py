"""Named architectures. A manifest names one; nothing but these can be loaded."""

from inference.runtime.nets.calibration import Calibration
from inference.runtime.nets.nodule import NoduleUNet
from inference.runtime.nets.outliner import NoduleOutliner, Outlined

__all__ = ["Calibration", "NoduleOutliner", "NoduleUNet", "Outlined"]
