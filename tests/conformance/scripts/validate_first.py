"""Checks the project before the first task, in the way of the introduction's last example."""

import os

from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Runner


def pre_execution_callback(runner: Runner) -> None:
    assert runner.project is None or runner.project.title
    assert runner.agents
    if os.environ.get("REFUSE"):
        raise ValueError("this project has no such class")


runner = Runner(pre_execution_callback=pre_execution_callback)


@runner.stage("Agent 1")
def labeled(task: AgentTask) -> str:
    return "complete"


if __name__ == "__main__":
    runner.run()
