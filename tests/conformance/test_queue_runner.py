"""encord-agents' `QueueRunner`: JSON specs in, `TaskCompletionResult` JSON out."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.workflow.stages.agent import AgentTask
from encord_agents.exceptions import PrintableError
from encord_agents.tasks import QueueRunner
from encord_agents.tasks.models import TaskAgentReturnStruct, TaskCompletionResult

import world as w
from test_runner import box, labels, where


@pytest.fixture
def queue(shared, make_project):
    """A project of the case's own, a runner, and its task specs."""
    project = make_project()
    runner = QueueRunner(project.project_hash, user_client=shared.client())
    specs = lambda: [t.model_dump_json() for t in project.workflow.get_stage(name="Agent 1").get_tasks()]  # noqa: E731
    return project, runner, specs


def result(text: str) -> TaskCompletionResult:
    return TaskCompletionResult.model_validate_json(text)


def uuid_of(spec: str) -> UUID:
    return UUID(json.loads(spec)["uuid"])


def test_one_spec_gives_one_result_and_one_move(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        return "complete"

    spec = specs()[0]
    done = result(agent(spec))
    assert (done.task_uuid, done.success, done.error) == (uuid_of(spec), True, None)
    assert (str(done.stage_uuid), str(done.pathway)) == (w.AGENT_1, w.WAY["complete"])
    assert where(shared, project) == {"Complete": 1, "Agent 1": w.SMALL_COUNT - 1}


def test_several_specs_give_one_result_with_lists(shared, queue):
    project, runner, specs = queue

    @runner.stage(w.AGENT_1)
    def agent(task: AgentTask) -> str:
        return "archive"

    batch = specs()
    done = result(agent(batch))
    assert done.task_uuid == done.success == [uuid_of(s) for s in batch]
    assert [str(p) for p in done.pathway] == [w.WAY["archive"]] * len(batch)
    assert where(shared, project) == {"Archive": w.SMALL_COUNT}


def test_a_queue_is_filled_from_the_stages_that_have_an_agent(shared, queue):
    project, runner, _ = queue

    @runner.stage("Agent 1")
    def first() -> str:
        return "second"

    @runner.stage("Agent 2")
    def second() -> str:
        return "complete"

    assert [s.title for s in runner.get_agent_stages()] == ["Agent 1", "Agent 2"]
    for stage, agent in zip(runner.get_agent_stages(), (first, second)):
        waiting = [t.model_dump_json() for t in stage.get_tasks()]
        assert len(waiting) == w.SMALL_COUNT
        assert all(result(agent(spec)).success for spec in waiting)
    assert where(shared, project) == {"Complete": w.SMALL_COUNT}


def test_a_task_that_has_left_the_stage_is_reported_as_no_success(shared, queue):
    project, runner, specs = queue
    calls = []

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        calls.append(task.uuid)
        return "complete"

    spec = specs()[0]
    shared.post("move", project=project.project_hash, tasks=[str(uuid_of(spec))], stage="Review")
    done = result(agent(spec))
    assert (done.success, done.pathway, calls) == (False, None, [])
    assert where(shared, project)["Review"] == 1


def test_a_stale_task_in_a_batch_costs_no_other(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        return "complete"

    batch = specs()
    shared.post("move", project=project.project_hash, tasks=[str(uuid_of(batch[2]))], stage="Review")
    done = result(agent(batch))
    assert set(done.task_uuid) - set(done.success) == {uuid_of(batch[2])}
    assert where(shared, project) == {"Complete": w.SMALL_COUNT - 1, "Review": 1}


def test_none_is_a_success_without_a_pathway(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent() -> None:
        return None

    done = result(agent(specs()[0]))
    assert (done.success, done.pathway) == (True, None)
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_a_failing_agent_is_a_result_with_its_traceback(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        raise ValueError("the model is out of reach")

    done = result(agent(specs()[0]))
    assert done.success is False and "the model is out of reach" in done.error
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_a_wrong_pathway_raises_and_moves_nothing(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent() -> str:
        return "nowhere"

    with pytest.raises(PrintableError, match="nowhere"):
        agent(specs())
    assert where(shared, project) == {"Agent 1": w.SMALL_COUNT}


def test_labels_and_priorities_are_written_with_the_move(shared, queue):
    project, runner, specs = queue

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        box(row)
        return TaskAgentReturnStruct(pathway="annotate", label_row=row, label_row_priority=0.9)

    agent(specs())
    assert set(labels(shared, project).values()) == {1}
    assert {r.priority for r in shared.project(project.project_hash).list_label_rows_v2()} == {0.9}
    assert where(shared, project) == {"Annotate": w.SMALL_COUNT}


def test_a_batch_of_more_than_two_hundred_specs_goes_in_one_request_each(shared, make_project):
    project = make_project(w.PICTURES)
    runner = QueueRunner(project.project_hash, user_client=shared.client())

    @runner.stage("Agent 1")
    def agent(task: AgentTask) -> str:
        return "complete"

    batch = [t.model_dump_json() for t in project.workflow.get_stage(name="Agent 1").get_tasks()]
    before = shared.requests_to("actions")
    assert len(result(agent(batch)).success) == w.PICTURE_COUNT
    assert shared.requests_to("actions") == before + 1
    assert where(shared, project) == {"Complete": w.PICTURE_COUNT}


def test_a_spec_is_enough_in_another_process_with_another_client(shared, queue):
    project, runner, specs = queue
    spec = specs()[0]
    elsewhere = QueueRunner(project.project_hash, user_client=shared.client())

    @elsewhere.stage("Agent 1")
    def agent(task: AgentTask, row: LabelRowV2) -> str:
        assert str(task.data_hash) == row.data_hash
        return "second"

    smaller = {k: json.loads(spec)[k] for k in ("uuid", "data_hash", "data_title", "label_branch_name")}
    assert result(agent(json.dumps(smaller))).success
    assert where(shared, project)["Agent 2"] == 1


def test_a_stage_that_the_project_does_not_have_is_refused_at_once(queue):
    _, runner, _ = queue
    with pytest.raises(PrintableError):
        runner.stage(uuid4())(lambda: "complete")
