"""Sorts tasks by the metadata of their items, and notes the reason there."""

from encord.objects import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_storage_item
from encord_agents.tasks.models import TaskAgentReturnStruct
from typing_extensions import Annotated

EXPERT_SITES = ["cam9"]

runner = Runner()


@runner.stage("sort")
def sort(lr: LabelRowV2, item: Annotated[StorageItem, Depends(dep_storage_item)]) -> TaskAgentReturnStruct:
    # The runner can set a priority only where the label row is asked for.
    metadata = item.client_metadata or {}
    site, captured = metadata.get("site", "unknown"), metadata.get("captured", "12:00")
    night = captured >= "22:00" or captured < "06:00"
    if site in EXPERT_SITES:
        pathway, reason = "expert", f"site {site}"
    else:
        pathway, reason = "done", "night" if night else "day"
    item.update(client_metadata={**metadata, "sorted": reason})
    return TaskAgentReturnStruct(pathway=pathway, label_row_priority=0.9 if night else 0.4)


if __name__ == "__main__":
    runner.run()
