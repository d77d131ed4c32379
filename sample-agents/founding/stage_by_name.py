"""A stage by its name, a pathway by its name."""

from encord.objects import LabelRowV2
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage(stage="Agent 1")
def my_agent(lr: LabelRowV2) -> str:
    return "complete"


if __name__ == "__main__":
    runner.run()
