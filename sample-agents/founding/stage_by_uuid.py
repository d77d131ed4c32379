"""A stage by its UUID, a pathway by its UUID."""

from uuid import UUID

from encord.objects import LabelRowV2
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage(stage="6011c844-fb26-438b-b465-0b0825951015")
def my_agent(lr: LabelRowV2) -> UUID:
    return UUID("49a786f3-5edf-4b94-aff0-3da9042d3bf0")


if __name__ == "__main__":
    runner.run()
