"""Stages are worked through in the order of their definition: one run takes a task through both."""

from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("stage_1")
def stage_1():
    return "next"


@runner.stage("stage_2")
def stage_2():
    return "next"


if __name__ == "__main__":
    runner.run()
