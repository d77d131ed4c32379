"""Sends tasks on by their client metadata."""

from encord.objects.ontology_labels_impl import LabelRowV2
from encord_agents.core.data_model import LabelRowMetadataIncludeArgs
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("Agent 1", label_row_metadata_include_args=LabelRowMetadataIncludeArgs(include_client_metadata=True))
def route(lr: LabelRowV2) -> str | None:
    order = lr.client_metadata["order"]
    if order == 5:
        return None
    return "archive" if lr.client_metadata["site"] == "cam1" else "second"


@runner.stage("Agent 2")
def finish() -> str:
    return "complete"


if __name__ == "__main__":
    runner.run()
