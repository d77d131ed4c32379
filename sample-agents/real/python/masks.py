"""Marks glare on sampled frames of a video, several judged at the same time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable

import numpy as np
from encord.objects import LabelRowV2, Object
from encord.objects.bitmask import BitmaskCoordinates
from encord_agents.core.data_model import Frame
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_video_sampler
from typing_extensions import Annotated

EVERY, GLARE, BATCH = 25, 230, 8

runner = Runner()


def mask(frame: Frame):
    return frame.frame, (frame.content >= GLARE).all(axis=2)


@runner.stage("masks")
def masks(
    lr: LabelRowV2,
    sampler: Annotated[Callable[[list[int]], Iterable[Frame]], Depends(dep_video_sampler)],
) -> str:
    glare = lr.ontology_structure.get_child_by_title("Glare", Object).create_instance()
    wanted = list(range(0, lr.number_of_frames, EVERY))
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(wanted), BATCH):
            batch = list(sampler(wanted[first : first + BATCH]))
            for number, found in pool.map(mask, batch):
                if found.any():
                    glare.set_for_frames(BitmaskCoordinates(found), frames=number, manual_annotation=False)
    if glare.get_annotation_frames():
        lr.add_object_instance(glare)
        lr.save()
    return "done"


if __name__ == "__main__":
    runner.run()
