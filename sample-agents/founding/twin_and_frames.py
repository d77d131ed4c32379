"""A twin project's labels, and the frames of a video."""

from typing import Iterator

from encord.objects import Classification, LabelRowV2, Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.workflow.stages.agent import AgentTask
from encord_agents.core.data_model import Frame
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import (
    Twin,  # Access a "twin" project's labels
    dep_twin_label_row,  # Get label row from twin project
    dep_video_iterator,  # Iterate over video frames
)
from typing_extensions import Annotated

runner = Runner()


@runner.stage("my_stage")
def my_agent(
    task: AgentTask,
    lr: LabelRowV2,
    twin: Annotated[Twin, Depends(dep_twin_label_row(twin_project_hash="00000000-0000-4000-8000-00000000aaaa"))],
    frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)],
) -> str:
    car = lr.ontology_structure.get_child_by_title("Car", Object)
    seen = 0
    for frame in frames:
        seen += 1
        if frame.frame % 25 == 0:
            height, width, _ = frame.content.shape
            box = car.create_instance()
            box.set_for_frames(
                BoundingBoxCoordinates(top_left_x=0, top_left_y=0, width=32 / width, height=18 / height),
                frames=frame.frame,
            )
            lr.add_object_instance(box)
    notes = lr.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    theirs = twin.label_row.get_classification_instances()[0].get_answer()
    notes.set_answer(f"{task.data_title}: {seen} frames, the twin has {theirs}")
    notes.set_for_frames(0)
    lr.add_classification_instance(notes)
    lr.save()
    return "complete"


if __name__ == "__main__":
    runner.run()
