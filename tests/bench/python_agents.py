"""The Python side: one agent of the real `encord-agents` for stage "Agent 1", named by its kind."""

from __future__ import annotations

import sys

from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

kind, project = sys.argv[1:]
runner = Runner(project_hash=project)

if kind == "task":

    @runner.stage("Agent 1")
    def task_only(task: AgentTask) -> str:
        return "complete"

elif kind == "labels":

    @runner.stage("Agent 1")
    def label_row(lr: LabelRowV2) -> str:
        return "complete"

else:

    @runner.stage("Agent 1")
    def save(lr: LabelRowV2) -> TaskAgentReturnStruct:
        box = lr.ontology_structure.get_child_by_title("Car", Object).create_instance()
        box.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
        lr.add_object_instance(box)
        return TaskAgentReturnStruct(pathway="complete", label_row=lr)


runner()
