"""napari as a peer of the benches: shows slices as it is told on stdin, answers with times.

``napari_peer.py FOLDER SIZE_PX``; the folder holds grey.npy, heat.npy and mask.npy. Each request
is one line of JSON: ``{"axis": 0, "slices": [..]}``, ``{"levels": [[low, high], ..]}`` or
``{"dabs": [[k, j, i], ..], "size": voxels}``, dabs of the 3-D brush of Labels on a shown slice.
A slice is done when the canvas has painted it and the event loop has nothing left to do.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ["NAPARI_ASYNC"] = "0"
import napari
import numpy as np
from qtpy.QtWidgets import QApplication


def main() -> None:
    """Serve stdin."""
    folder, size_px = Path(sys.argv[1]), int(sys.argv[2])
    grey, heat, mask = (np.load(folder / f"{name}.npy") for name in ("grey", "heat", "mask"))
    viewer = napari.Viewer(show=False)
    viewer.add_image(grey, contrast_limits=(-1350, 150), name="grey")
    viewer.add_image(heat, colormap="viridis", opacity=0.45, blending="translucent", name="heat")
    viewer.add_labels(mask, opacity=0.25, name="mask")
    canvas = viewer.window._qt_viewer.canvas
    native = canvas.native
    viewer.window._qt_window.show()
    native.window().resize(size_px + 400, size_px + 200)
    app = QApplication.instance()
    for _ in range(20):
        app.processEvents()
        time.sleep(0.02)
    native.setFixedSize(size_px, size_px)
    drawn = [0]
    canvas._scene_canvas.events.draw.connect(lambda _event: drawn.__setitem__(0, drawn[0] + 1))
    for _ in range(30):
        app.processEvents()
        time.sleep(0.02)
    viewer.reset_view()

    def timed(act) -> float:
        before = drawn[0]
        begin = time.perf_counter()
        act()
        while drawn[0] == before and time.perf_counter() - begin < 2:
            app.processEvents()
        app.processEvents()
        return (time.perf_counter() - begin) * 1000

    def move(axis: int, index: int) -> None:
        viewer.dims.set_current_step(axis, index)

    order = 0
    print(json.dumps({"napari": napari.__version__, "size": native.width()}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "levels" in asked:
            times = [
                timed(lambda pair=pair: setattr(viewer.layers["grey"], "contrast_limits", pair))
                for pair in asked["levels"]
            ]
        elif "dabs" in asked:
            labels = viewer.layers["mask"]
            viewer.layers["heat"].visible = False
            labels.n_edit_dimensions = 3
            labels.brush_size = asked["size"]
            times = [timed(lambda at=at, to=labels: to.paint(tuple(at), 7)) for at in asked["dabs"]]
        else:
            axis = asked["axis"]
            if axis != order:
                viewer.dims.order = (axis, *(n for n in range(3) if n != axis))
                viewer.reset_view()
                order = axis
            times = [timed(lambda k=k, axis=axis: move(axis, k)) for k in asked["slices"]]
        print(json.dumps({"ms": times}), flush=True)
    viewer.close()


if __name__ == "__main__":
    main()
