"""The project, by the type of the parameter."""

from encord.project import Project
from encord_agents.tasks import Runner

runner = Runner()


@runner.stage("your_stage_name")
def my_agent(project: Project) -> str:
    assert project.title == "Founding"
    return project.workflow.get_stage(name="your_stage_name").pathways[0].name


if __name__ == "__main__":
    runner.run()
