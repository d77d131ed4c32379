"""`None` leaves a task in its stage."""

from encord.objects import LabelRowV2
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("Agent 1")
def my_agent(lr: LabelRowV2) -> str | None:
    if lr.data_title.startswith("2"):
        return None
    return "complete"


if __name__ == "__main__":
    runner.run()
