"""Crops what was boxed, classifies each crop, and replaces the box by one of the right class."""

import numpy as np
from encord.objects import LabelRowV2, Object
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_single_frame
from numpy.typing import NDArray
from typing_extensions import Annotated

BRIGHT = 127.0

runner = Runner()


@runner.stage("recognise")
def recognise(lr: LabelRowV2, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
    height, width, _ = frame.shape
    kind = lr.ontology_structure.get_child_by_title("Thing", Object)
    for thing in lr.get_object_instances(kind):
        box = thing.get_annotation(0).coordinates
        left, right = round(box.top_left_x * width), round((box.top_left_x + box.width) * width)
        top, bottom = round(box.top_left_y * height), round((box.top_left_y + box.height) * height)
        mean = frame[top:bottom, left:right].mean()
        title = "Dark thing" if mean < BRIGHT else "Bright thing"
        better = lr.ontology_structure.get_child_by_title(title, Object).create_instance()
        better.set_for_frames(box, manual_annotation=False)
        lr.remove_object(thing)
        lr.add_object_instance(better)
    lr.save()
    return "done"


if __name__ == "__main__":
    runner.run()
