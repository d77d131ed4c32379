"""A stage that is defined again replaces the first definition and keeps its order."""

from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("stage_1")
def stage_1():
    raise AssertionError("this definition is replaced")


@runner.stage("stage_2")
def stage_2():
    return "next"


@runner.stage("stage_1", overwrite=True)
def stage_1_again():
    return "next"


if __name__ == "__main__":
    runner.run()
