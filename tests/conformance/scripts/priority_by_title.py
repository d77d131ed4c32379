"""Sets the priority of each task from its title: `25.jpg` gets 0.25."""

from encord.objects.ontology_labels_impl import LabelRowV2
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage(stage="Agent 1")
def by_file_name(lr: LabelRowV2) -> str:
    priority = int(lr.data_title.split(".")[0]) / 100
    lr.set_priority(priority=priority)
    return "annotate"


if __name__ == "__main__":
    runner.run()
