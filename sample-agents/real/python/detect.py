"""Runs an object detector in ONNX format on the first picture."""

import cv2
import numpy as np
import onnxruntime
from encord.objects import LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_single_frame
from numpy.typing import NDArray
from typing_extensions import Annotated

INPUT, SCORE = 32, 0.51

runner = Runner()
detector = onnxruntime.InferenceSession("media/grid.onnx")


@runner.stage("detect")
def detect(lr: LabelRowV2, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    rows, columns = (np.arange(INPUT) * size // INPUT for size in luma.shape)
    picture = luma[np.ix_(rows, columns)][None, None].astype(np.float32) / 255
    scores = detector.run(None, {detector.get_inputs()[0].name: picture})[0][0, 0]
    kind = lr.ontology_structure.get_child_by_title("Thing", Object)
    height, width = 1 / scores.shape[0], 1 / scores.shape[1]
    for row, column in np.argwhere(scores >= SCORE):
        thing = kind.create_instance()
        thing.set_for_frames(
            BoundingBoxCoordinates(
                top_left_x=column * width, top_left_y=row * height, width=width, height=height
            ),
            confidence=float(min(scores[row, column], 1)),
            manual_annotation=False,
        )
        lr.add_object_instance(thing)
    lr.save()
    return "recognise" if (scores >= SCORE).any() else "done"


if __name__ == "__main__":
    runner.run()
