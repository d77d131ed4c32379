"""The storage item, in both notations; its client metadata are read and changed."""

from encord.storage import StorageItem
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_storage_item
from typing_extensions import Annotated

runner = Runner()


@runner.stage("your_stage_name")
def my_agent(
    storage_item_1: Annotated[StorageItem, Depends(dep_storage_item)],
    storage_item_2: StorageItem = Depends(dep_storage_item),
) -> str:
    assert storage_item_1.uuid == storage_item_2.uuid
    storage_item_1.update(client_metadata={**storage_item_1.client_metadata, "seen": storage_item_1.name})
    return "next"


if __name__ == "__main__":
    runner.run()
