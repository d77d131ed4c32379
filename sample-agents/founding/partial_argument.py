"""A dependency with an argument of its own.

The introduction binds it by keyword (`partial(my_dependency, arg2=arg2)`), which encord-agents 0.2.10 refuses when the
first task comes; bound by its place it works.
"""

from functools import partial

from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Depends, Runner
from typing_extensions import Annotated

runner = Runner()


def my_dependency(arg2: int, task: AgentTask) -> str:
    return f"{task.data_title} {arg2}"


def my_dependency_with_default_arg(arg2: int = 42):
    return partial(my_dependency, arg2)


@runner.stage("my_stage")
def my_agent(dep: Annotated[str, Depends(my_dependency_with_default_arg())]) -> str:
    return "complete" if dep.endswith("42") else "next_stage"


if __name__ == "__main__":
    runner.run()
