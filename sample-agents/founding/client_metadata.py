"""The client metadata come with the label row when they are asked for."""

from encord.objects import LabelRowV2
from encord_agents.core.data_model import LabelRowMetadataIncludeArgs
from encord_agents.tasks import Runner

runner = Runner()
args = LabelRowMetadataIncludeArgs(include_client_metadata=True)


@runner.stage("Agent 1", label_row_metadata_include_args=args)
def my_agent(lr: LabelRowV2) -> str | None:
    return "complete" if lr.client_metadata["site"] == "cam1" else None


if __name__ == "__main__":
    runner.run()
