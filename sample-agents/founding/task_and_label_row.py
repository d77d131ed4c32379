"""The task and its label row, by the types of the parameters."""

from encord.objects import Classification, LabelRowV2
from encord.workflow.stages.agent import AgentTask
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

runner = Runner()


@runner.stage("your_stage_name")
def my_agent(task: AgentTask, label_row: LabelRowV2) -> TaskAgentReturnStruct:
    notes = label_row.ontology_structure.get_child_by_title("Notes", Classification).create_instance()
    notes.set_answer(f"{task.uuid} {task.data_title} {label_row.dataset_title}")
    notes.set_for_frames(0)
    label_row.add_classification_instance(notes)
    return TaskAgentReturnStruct(pathway="next", label_row=label_row)


if __name__ == "__main__":
    runner.run()
