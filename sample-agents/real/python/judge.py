"""Compares two answers about a document, and asks a person where they differ: a new text task in another project."""

import tempfile
from pathlib import Path

from encord.objects import Classification, LabelRowV2
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import dep_client, dep_storage_item
from encord_agents.tasks.models import TaskAgentReturnStruct
from typing_extensions import Annotated

QUESTIONS = "4ea10000-0000-4000-8005-000000000002"

runner = Runner()


@runner.stage("judge")
def judge(
    lr: LabelRowV2,
    item: Annotated[StorageItem, Depends(dep_storage_item)],
    client: Annotated[EncordUserClient, Depends(dep_client)],
) -> TaskAgentReturnStruct | str:
    metadata = item.client_metadata or {}
    first, second = metadata.get("first"), metadata.get("second")
    if first is None or second is None:
        return "unsure"
    if first == second:
        document = lr.ontology_structure.get_child_by_title("Document", Classification).create_instance()
        document.set_answer(document.ontology_item.attributes[0].get_child_by_title(first))
        document.set_for_frames(0)
        lr.add_classification_instance(document)
        lr.save()
        return "done"
    dataset = client.get_dataset(QUESTIONS)
    folder = client.get_storage_folder(dataset.backing_folder_uuid)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "question.txt"
        file.write_text(f'Is "{lr.data_title}" a {first} or a {second}?\n', encoding="utf-8")
        title = f"question about {lr.data_title}"
        question = folder.upload_text(file, title, client_metadata={"first": first, "second": second})
    dataset.link_items([question])
    return TaskAgentReturnStruct(pathway="unsure", label_row_priority=0.9)


if __name__ == "__main__":
    runner.run()
