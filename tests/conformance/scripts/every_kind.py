"""Labels every row of a dataset that holds every kind of item: a note on what can carry one."""

from encord.constants.enums import DataType
from encord.objects import Classification
from encord.objects.frames import Range
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

runner = Runner()


@runner.stage("Agent 1")
def note(lr: LabelRowV2, item: StorageItem) -> TaskAgentReturnStruct:
    if lr.data_type != DataType.GROUP:
        whole = lr.data_type in (DataType.AUDIO, DataType.PLAIN_TEXT)
        feature = lr.ontology_structure.get_child_by_title("Notes", Classification)
        instance = feature.create_instance(range_only=whole)
        instance.set_answer(f"{item.item_type.value}: {item.name}")
        instance.set_for_frames(Range(0, 0))
        lr.add_classification_instance(instance)
    return TaskAgentReturnStruct(pathway="complete", label_row=lr, label_row_priority=0.875)


if __name__ == "__main__":
    runner.run()
