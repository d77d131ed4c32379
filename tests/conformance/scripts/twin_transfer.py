"""Carries labels over from the twin project: its radio answer becomes a classification here.

The twin's hash comes from `TWIN_PROJECT_HASH`, because a stage names it before the command line is read.
"""

import os

from encord.objects import Classification
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.project import Project
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import Twin, dep_twin_label_row
from typing_extensions import Annotated

runner = Runner()


@runner.stage(stage="Agent 1")
def transfer(
    lr: LabelRowV2,
    project: Project,
    twin: Annotated[Twin, Depends(dep_twin_label_row(os.environ["TWIN_PROJECT_HASH"], include_task=True))],
) -> str:
    if twin is None:
        return "archive"
    notes = project.ontology_structure.get_child_by_title("Notes", Classification)
    for instance in twin.label_row.get_classification_instances():
        copy = notes.create_instance()
        copy.set_answer(f"{instance.get_answer()} ({twin.task.uuid})")
        copy.set_for_frames(0)
        lr.add_classification_instance(copy)
    for instance in twin.label_row.get_object_instances():
        lr.add_object_instance(instance.copy())
    lr.save()
    return "complete"


if __name__ == "__main__":
    runner.run()
