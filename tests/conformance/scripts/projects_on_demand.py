"""Makes three projects from one template on one dataset, runs an agent on them side by side, deletes them.

    python projects_on_demand.py DATASET ONTOLOGY TEMPLATE

The same file is the agent: with --project-hash it is an encord-agents runner.
"""

import os
import subprocess
import sys
from collections import Counter

from encord.constants.enums import DataType
from encord.objects import Classification
from encord.objects.frames import Range
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.orm.project import Project as OrmProject
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct


def run_agent() -> None:
    runner = Runner()

    @runner.stage("Agent 1")
    def note(lr: LabelRowV2, item: StorageItem) -> TaskAgentReturnStruct:
        if lr.data_type != DataType.GROUP:
            feature = lr.ontology_structure.get_child_by_title("Notes", Classification)
            instance = feature.create_instance(range_only=lr.data_type in (DataType.AUDIO, DataType.PLAIN_TEXT))
            instance.set_answer(f"{item.item_type.value} for {os.getpid()}")
            instance.set_for_frames(Range(0, 0))
            lr.add_classification_instance(instance)
        return TaskAgentReturnStruct(pathway="complete", label_row=lr, label_row_priority=0.1337)

    runner.run()


def main(dataset: str, ontology: str, template: str) -> None:
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=os.environ["ENCORD_SSH_KEY_FILE"], domain=os.environ["ENCORD_DOMAIN"]
    )
    hashes = [
        client.create_project(f"on demand {n}", [dataset], ontology_hash=ontology, workflow_template_hash=template)
        for n in range(3)
    ]
    print(f"made {len(set(hashes))} projects, {len(client.get_dataset(dataset).data_rows)} items each")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    agents = [subprocess.Popen([sys.executable, __file__, "--project-hash", h], **quiet) for h in hashes]
    print("runners ended with", [agent.wait() for agent in agents])
    for project_hash in hashes:
        project = client.get_project(project_hash)
        stages = Counter({s.title: len(list(s.get_tasks())) for s in project.workflow.stages})
        rows = project.list_label_rows_v2()
        for row in rows:
            row.initialise_labels()
        notes = {c.get_answer() for row in rows for c in row.get_classification_instances()}
        writers = {note.rsplit(" ", 1)[1] for note in notes}
        print(
            f"{project.title}: {dict(stages)}, {len(notes)} notes by {len(writers)} process, "
            f"priorities {({row.priority for row in rows})}"
        )
        client.querier.basic_delete(OrmProject, project_hash)
    left = {p.project_hash for p in client.list_projects()} & set(hashes)
    print(f"deleted, {len(left)} left")


if __name__ == "__main__":
    if "--project-hash" in sys.argv:
        run_agent()
    else:
        main(*sys.argv[1:])
