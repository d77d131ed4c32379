"""The project is looked at before the first task.

With the hash on the command line alone, as in the introduction, encord-agents 0.2.10 calls back while `runner.project`
is still `None`; the hash given to the runner itself helps.
"""

import os

from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Runner


def pre_execution_callback(runner: Runner) -> None:
    assert runner.project
    project = runner.project
    # Throws if child not found
    project.ontology_structure.get_child_by_title("Car")
    assert runner.agents


runner = Runner(project_hash=os.environ["PROJECT_HASH"], pre_execution_callback=pre_execution_callback)
# Won't yet validate


# Define the agent
@runner.stage("Agent stage")
def agent_stage(task: AgentTask) -> str:
    return "labeled"


if __name__ == "__main__":
    runner.run()
