"""encord-agents' sequential `Runner`: what it does on the server, read back with a fresh client."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.project import Project
from encord.storage import StorageItem
from encord.workflow.stages.agent import AgentStage, AgentTask
from encord_agents.core.data_model import LabelRowInitialiseLabelsArgs, LabelRowMetadataIncludeArgs
from encord_agents.exceptions import PrintableError
from encord_agents.tasks import Runner
from encord_agents.tasks.models import TaskAgentReturnStruct

import world as w


def where(server, project) -> Counter:
    again = server.project(project.project_hash)
    return Counter({s.title: n for s in again.workflow.stages if (n := len(list(s.get_tasks())))})


def box(label_row: LabelRowV2, name: str = "Vehicle") -> None:
    instance = label_row.ontology_structure.get_child_by_title(name, Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1))
    label_row.add_object_instance(instance)


def labels(server, project) -> dict[str, int]:
    """Objects per row, by title."""
    rows = server.project(project.project_hash).list_label_rows_v2()
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    return {r.data_title: len(r.get_object_instances()) for r in rows}


@pytest.fixture
def job(shared, make_project):
    """A project of the case's own and a runner on it."""
    project = make_project()
    return project, Runner(project.project_hash, user_client=shared.client())


@pytest.mark.parametrize("way", ["complete", w.WAY["complete"], UUID(w.WAY["complete"])], ids=["name", "text", "uuid"])
def test_the_runner_drains_a_stage_along_a_pathway(shared, job, way):
    project, runner = job

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str | UUID:
        return way

    runner()
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


def test_a_stage_is_named_by_its_uuid(shared, job):
    project, runner = job

    @runner.stage(w.AGENT_1)
    def agent() -> str:
        return "archive"

    runner()
    assert where(shared, project) == {"Archive": w.SMALL_COUNT}


def test_none_leaves_the_task_and_sends_nothing(shared, job):
    project, runner = job
    seen = []

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> None:
        seen.append(task.data_title)

    before = shared.local("counters")["writes"]
    runner()
    runner()
    assert sorted(seen) == sorted(2 * [f"small_{n}.jpg" for n in range(w.SMALL_COUNT)])
    assert shared.local("counters")["writes"] == before
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_a_later_stage_sees_what_an_earlier_one_sent_in_the_same_run(shared, job):
    project, runner = job
    order = []

    @runner.stage("Agent 1")
    def first(task: AgentTask) -> str:
        order.append("first")
        return "second"

    @runner.stage("Agent 2")
    def second(task: AgentTask) -> str:
        order.append("second")
        return "complete"

    runner()
    assert order == ["first"] * w.SMALL_COUNT + ["second"] * w.SMALL_COUNT
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


def test_stages_run_in_the_order_of_their_definition(shared, job):
    project, runner = job

    @runner.stage("Agent 2")
    def second() -> str:
        return "complete"

    @runner.stage("Agent 1")
    def first() -> str:
        return "second"

    runner()
    assert where(shared, project) == {"Agent 2": w.SMALL_COUNT}


def test_overwrite_replaces_the_function_and_keeps_the_order(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def old() -> str:
        return "archive"

    @runner.stage("Agent 2")
    def second() -> str:
        return "complete"

    with pytest.raises(PrintableError):
        runner.stage("Agent 1")(lambda: "archive")

    @runner.stage("Agent 1", overwrite=True)
    def new() -> str:
        return "second"

    runner()
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


def test_a_wrong_pathway_ends_the_run_and_moves_nothing_of_its_batch(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        return "nowhere" if task.data_title == "small_3.jpg" else "complete"

    with pytest.raises(PrintableError, match="nowhere"):
        runner()
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_an_unknown_stage_is_refused_with_the_right_names(job):
    _, runner = job
    with pytest.raises(PrintableError, match="Agent 2"):
        runner.stage("Agent 7")(lambda: None)
    with pytest.raises(PrintableError):
        runner.stage("Annotate")(lambda: None)


def test_a_failing_agent_is_tried_again_and_then_left(shared, job):
    project, runner = job
    calls = Counter()

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        calls[task.data_title] += 1
        if task.data_title == "small_1.jpg" or calls[task.data_title] < 3:
            raise ValueError("not yet")
        return "complete"

    runner(num_retries=3)
    assert calls["small_1.jpg"] == 4 and calls["small_0.jpg"] == 3
    assert where(shared, project) == {"Complete": w.SMALL_COUNT - 1, "Agent 1": 1}


def test_max_tasks_per_stage_bounds_a_run(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def agent() -> str:
        return "complete"

    runner(max_tasks_per_stage=2)
    assert where(shared, project) == {"Complete": 2, "Agent 1": w.SMALL_COUNT - 2}


@pytest.mark.parametrize("batch", [7, 100, 300])
def test_every_task_is_handled_once_whatever_the_batch_size(shared, make_project, batch):
    project = make_project(w.PICTURES)
    runner = Runner(project.project_hash, user_client=shared.client())
    seen = Counter()

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        seen[task.uuid] += 1
        return "complete"

    runner(task_batch_size=batch)
    assert len(seen) == w.PICTURE_COUNT and set(seen.values()) == {1}
    assert where(shared, project) == {"Complete": w.PICTURE_COUNT}


def test_refresh_every_looks_again(shared, job):
    project, runner = job
    calls = Counter()

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str | None:
        calls[task.data_title] += 1
        if calls[task.data_title] == 2:
            raise KeyboardInterrupt
        return None if task.data_title == "small_0.jpg" else "complete"

    with pytest.raises(KeyboardInterrupt):
        runner(refresh_every=1)
    assert calls["small_0.jpg"] == 2 and sum(calls.values()) == w.SMALL_COUNT + 1
    assert where(shared, project) == {"Complete": w.SMALL_COUNT - 1, "Agent 1": 1}


def test_labels_priority_and_pathway_are_returned_together(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def agent(task: AgentTask, row: LabelRowV2) -> TaskAgentReturnStruct:
        box(row)
        return TaskAgentReturnStruct(pathway="annotate", label_row=row, label_row_priority=0.625)

    runner()
    assert set(labels(shared, project).values()) == {1}
    assert {r.priority for r in shared.project(project.project_hash).list_label_rows_v2()} == {0.625}
    assert where(shared, project) == {"Annotate": w.SMALL_COUNT}


def test_labels_of_many_tasks_are_saved_in_requests_of_a_hundred(shared, make_project):
    project = make_project(w.PICTURES)
    runner = Runner(project.project_hash, user_client=shared.client())

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        box(row)
        return TaskAgentReturnStruct(pathway="complete", label_row=row)

    before = {e: shared.requests_to(e) for e in ("create_labels", "save_labels", "actions")}
    runner()
    counts = {e: shared.requests_to(e) - n for e, n in before.items()}
    assert counts == {"create_labels": 1, "save_labels": 3, "actions": 1}
    assert set(labels(shared, project).values()) == {1}


def test_a_priority_is_set_without_asking_for_the_label_row(shared, job):
    project, runner = job

    @runner.stage("Agent 1", will_set_priority=True)
    def agent(task: AgentTask) -> TaskAgentReturnStruct:
        return TaskAgentReturnStruct(pathway="annotate", label_row_priority=0.1337)

    runner()
    assert {r.priority for r in shared.project(project.project_hash).list_label_rows_v2()} == {0.1337}


def test_an_agent_saves_its_own_labels(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2) -> None:
        box(row)
        row.save()

    runner()
    assert set(labels(shared, project).values()) == {1}
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_labels_of_an_earlier_stage_are_there_for_a_later_one(shared, job):
    project, runner = job
    found = []

    @runner.stage("Agent 1")
    def first(row: LabelRowV2) -> TaskAgentReturnStruct:
        box(row)
        return TaskAgentReturnStruct(pathway="second", label_row=row)

    @runner.stage("Agent 2")
    def second(row: LabelRowV2) -> str:
        found.append(len(row.get_object_instances()))
        return "complete"

    runner()
    assert found == [1] * w.SMALL_COUNT


def test_client_metadata_and_branch_come_with_the_row_when_included(shared, job):
    project, runner = job
    seen = {}
    include = LabelRowMetadataIncludeArgs(include_client_metadata=True, branch_name="agents")

    @runner.stage("Agent 1", label_row_metadata_include_args=include)
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        seen[row.data_title] = (row.client_metadata["order"], row.branch_name)
        box(row)
        return TaskAgentReturnStruct(pathway="complete", label_row=row)

    runner()
    assert seen == {f"small_{n}.jpg": (n, "agents") for n in range(w.SMALL_COUNT)}
    assert set(labels(shared, project).values()) == {0}
    on_branch = shared.project(project.project_hash).list_label_rows_v2(branch_name="agents")[0]
    on_branch.initialise_labels()
    assert len(on_branch.get_object_instances()) == 1


def test_only_the_features_asked_for_are_initialised(shared, job):
    project, runner = job
    for row in project.list_label_rows_v2():
        row.initialise_labels()
        box(row)
        box(row, "Page mark")
        row.save()
    wanted = project.ontology_structure.get_child_by_title("Page mark").feature_node_hash
    names = []

    @runner.stage(
        "Agent 1", label_row_initialise_labels_args=LabelRowInitialiseLabelsArgs(include_object_feature_hashes={wanted})
    )
    def agent(row: LabelRowV2) -> str:
        names.extend(o.object_name for o in row.get_object_instances())
        return "complete"

    runner()
    assert names == ["Page mark"] * w.SMALL_COUNT


def test_task_project_row_stage_and_item_are_injected_by_type(shared, job):
    project, runner = job
    seen = []

    @runner.stage("Agent 1")
    def agent(task: AgentTask, of: Project, row: LabelRowV2, stage: AgentStage, item: StorageItem) -> str:
        assert (of.project_hash, str(stage.uuid)) == (project.project_hash, w.AGENT_1)
        assert str(task.data_hash) == row.data_hash and item.uuid == row.backing_item_uuid
        seen.append(item.name == task.data_title)
        return "complete"

    runner(num_retries=0)
    assert seen == [True] * w.SMALL_COUNT


def test_a_task_that_somebody_else_moved_costs_no_other_task(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        if task.data_title == "small_2.jpg":
            shared.post("move", project=project.project_hash, tasks=[str(task.uuid)], stage="Review")
        return "complete"

    runner()
    assert where(shared, project) == {"Complete": w.SMALL_COUNT - 1, "Review": 1}


def test_the_project_is_checked_once_before_the_first_task(shared, make_project):
    project, order = make_project(), []

    def check(runner: Runner) -> None:
        assert runner.project.ontology_structure.get_child_by_title("Vehicle")
        assert runner.agents
        order.append("checked")

    runner = Runner(project.project_hash, pre_execution_callback=check, user_client=shared.client())

    @runner.stage("Agent 1")
    def agent() -> str:
        order.append("ran")
        return "complete"

    runner()
    assert order == ["checked"] + ["ran"] * w.SMALL_COUNT


def test_a_failing_check_runs_no_task(shared, make_project):
    project = make_project()

    def check(runner: Runner) -> None:
        runner.project.ontology_structure.get_child_by_title("No such class")

    runner = Runner(project.project_hash, pre_execution_callback=check, user_client=shared.client())
    runner.stage("Agent 1")(lambda: "complete")
    with pytest.raises(Exception, match="No such class"):
        runner()
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_one_runner_serves_several_projects_by_hash(shared, make_project):
    one, two = make_project(), make_project()
    runner = Runner(user_client=shared.client())

    @runner.stage("Agent 1")
    def agent() -> str:
        return "complete"

    for project in (one, two):
        runner(project_hash=project.project_hash)
        assert where(shared, project) == {"Complete": w.SMALL_COUNT}
    bound = Runner(one.project_hash, user_client=shared.client())
    with pytest.raises(PrintableError):
        bound(project_hash=two.project_hash)


def test_a_single_stage_is_run(shared, job):
    project, runner = job

    @runner.stage("Agent 1")
    def first() -> str:
        return "second"

    @runner.stage("Agent 2")
    def second() -> str:
        return "complete"

    runner.run_stage("Agent 1", max_tasks=4)
    assert where(shared, project) == {"Agent 2": 4, "Agent 1": 2}
    runner.run_stage(w.AGENT_2)
    assert where(shared, project) == {"Complete": 4, "Agent 1": 2}


def test_runners_side_by_side_on_projects_of_one_template_do_not_meet(shared, make_project):
    projects = [make_project(w.MIXED) for _ in range(3)]
    for project, way in zip(projects, ("complete", "archive", "annotate")):
        drain(shared, project, way)
    assert [where(shared, p) for p in projects] == [
        {"Complete": len(w.HASH)},
        {"Archive": len(w.HASH)},
        {"Annotate": len(w.HASH)},
    ]


def drain(server, project, way: str) -> None:
    runner = Runner(project.project_hash, user_client=server.client())

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2) -> str:
        return way

    runner()


def test_a_limited_and_failing_platform_delays_a_run_but_costs_nothing(faulty, make_faulty_project):
    project = make_faulty_project(w.PICTURES)
    runner = Runner(project.project_hash, user_client=faulty.client(backoff_factor=0.0))

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        box(row)
        return TaskAgentReturnStruct(pathway="complete", label_row=row, label_row_priority=0.75)

    faulty.faults("any:429/1s*1", "save_labels:500*2", "get:drop*2", "priorities:503*1")
    runner(task_batch_size=100)
    assert faulty.struck() == 6
    faulty.faults()
    assert where(faulty, project) == {"Complete": w.PICTURE_COUNT}
    rows = faulty.project(project.project_hash).list_label_rows_v2()
    assert {r.priority for r in rows} == {0.75}
    assert set(labels(faulty, project).values()) == {1}


def test_a_lost_answer_to_the_moves_of_a_batch_loses_no_task(faulty, make_faulty_project):
    project = make_faulty_project()
    runner = Runner(project.project_hash, user_client=faulty.client(backoff_factor=0.0))
    calls = Counter()

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        calls[task.uuid] += 1
        return "complete"

    faulty.faults("actions:lost*1")
    runner()
    faulty.faults()
    assert set(calls.values()) == {1}
    assert where(faulty, project) == {"Complete": w.SMALL_COUNT}
