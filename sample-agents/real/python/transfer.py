"""Publishes finished labels: the twin's are replaced by this project's, and its task goes to the experts there."""

from encord.objects import LabelRowV2
from encord.user_client import EncordUserClient
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import Twin, dep_client, dep_twin_label_row
from typing_extensions import Annotated

TWIN = "4ea10000-0000-4000-8004-000000000002"

runner = Runner()


@runner.stage("transfer")
def transfer(
    lr: LabelRowV2,
    twin: Annotated[Twin, Depends(dep_twin_label_row(twin_project_hash=TWIN, include_task=True))],
    client: Annotated[EncordUserClient, Depends(dep_client)],
) -> str:
    for old in twin.label_row.get_object_instances():
        twin.label_row.remove_object(old)
    for found in lr.get_object_instances():
        twin.label_row.add_object_instance(found.copy())
    for old in twin.label_row.get_classification_instances():
        twin.label_row.remove_classification(old)
    for found in lr.get_classification_instances():
        twin.label_row.add_classification_instance(found.copy())
    twin.label_row.save()
    experts = client.get_project(TWIN).workflow.get_stage(name="Experts")
    twin.task.move(destination_stage_uuid=experts.uuid)
    return "done"


if __name__ == "__main__":
    runner.run()
