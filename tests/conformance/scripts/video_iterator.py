"""Adds a box to every 25th frame of a video and writes down how many frames it saw."""

from typing import Iterator

from encord.objects import Classification, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.workflow.stages.agent import AgentTask
from encord_agents.core.data_model import Frame
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_video_iterator
from typing_extensions import Annotated

runner = Runner()


@runner.stage("Agent 1")
def every_second(
    task: AgentTask, lr: LabelRowV2, frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)]
) -> str:
    box = lr.ontology_structure.get_child_by_title("Vehicle", Object)
    seen = 0
    for frame in frames:
        seen += 1
        if frame.frame % 25 == 0:
            height, width, _ = frame.content.shape
            instance = box.create_instance()
            instance.set_for_frames(
                BoundingBoxCoordinates(height=18 / height, width=32 / width, top_left_x=0.0, top_left_y=0.0),
                frames=frame.frame,
            )
            lr.add_object_instance(instance)
    notes = lr.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    notes.set_answer(f"{task.data_title}: {seen} frames")
    notes.set_for_frames(0)
    lr.add_classification_instance(notes)
    lr.save()
    return "complete"


if __name__ == "__main__":
    runner.run()
