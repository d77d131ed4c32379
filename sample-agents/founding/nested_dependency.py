"""A dependency of one's own that uses the label row and another dependency."""

from encord.objects import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_storage_item
from typing_extensions import Annotated

runner = Runner()


def my_custom_dependency(lr: LabelRowV2, storage_item: StorageItem = Depends(dep_storage_item)) -> dict:
    """Custom dependencies can use LabelRowV2 and other dependencies"""
    return {"data_title": lr.data_title, "metadata": storage_item.client_metadata}


@runner.stage("my_stage")
def my_agent(metadata: Annotated[dict, Depends(my_custom_dependency)]) -> str:
    assert metadata["data_title"]
    return "next_stage" if metadata["metadata"]["site"] == "cam2" else "complete"


if __name__ == "__main__":
    runner.run()
