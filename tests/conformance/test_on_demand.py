"""A suite of the kind that runs against the platform itself: every id known beforehand, every project made for
the case and deleted after it. Its server has a scenario file of its own, `on_demand.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import MagicMock, patch
from uuid import UUID, uuid4

import numpy as np
import pytest
from encord.constants.enums import DataType
from encord.exceptions import AuthorisationError
from encord.http.bundle import Bundle
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.orm.project import Project as OrmProject
from encord.orm.storage import StorageItemType
from encord.storage import StorageItem
from encord.workflow.stages.agent import AgentStage, AgentTask
from encord.workflow.stages.final import FinalStage
from encord_agents.core.data_model import Frame, LabelRowInitialiseLabelsArgs, LabelRowMetadataIncludeArgs
from encord_agents.exceptions import PrintableError
from encord_agents.tasks import QueueRunner, Runner
from encord_agents.tasks.dependencies import (
    dep_asset,
    dep_client,
    dep_single_frame,
    dep_storage_item,
    dep_twin_label_row,
    dep_video_iterator,
    dep_video_sampler,
)
from encord_agents.tasks.models import TaskAgentReturnStruct, TaskCompletionResult

import on_demand as w

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="module")
def platform(start_for_all, tmp_path_factory):
    """The server that stands for the platform. Nothing but ids is known of it."""
    path = tmp_path_factory.mktemp("on demand") / "world.json"
    path.write_text(json.dumps(w.world()))
    return start_for_all("--scenario-file", path)


@pytest.fixture(scope="module", autouse=True)
def settings(platform):
    """The suite's key and domain: the key as text, as such suites have it."""
    from encord_agents.core.utils import get_user_client_from_settings

    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("ENCORD_SSH_KEY_FILE", raising=False)
        patched.setenv("ENCORD_SSH_KEY", Path(platform.key_file).read_text())
        patched.setenv("ENCORD_DOMAIN", platform.domain)
        get_user_client_from_settings.cache_clear()
        yield
    get_user_client_from_settings.cache_clear()


@pytest.fixture(scope="module")
def client(platform):
    return platform.client()


def short_lived(client, dataset: str):
    project_hash = client.create_project(
        project_title="short-lived",
        dataset_hashes=[dataset],
        project_description="made by a suite",
        ontology_hash=client.get_ontology(w.ONTOLOGY).ontology_hash,
        workflow_template_hash=w.TEMPLATE,
    )
    yield project_hash
    client.querier.basic_delete(OrmProject, uid=project_hash)


@pytest.fixture
def every_kind(client):
    yield from short_lived(client, w.EVERY_KIND)


@pytest.fixture
def pictures(client):
    yield from short_lived(client, w.PICTURES)


@pytest.fixture(params=["every_kind", "pictures"])
def project_hash(request):
    return request.getfixturevalue(request.param)


def stages(project) -> tuple[AgentStage, FinalStage]:
    return (
        project.workflow.get_stage(name="Agent 1", type_=AgentStage),
        project.workflow.get_stage(name="Complete", type_=FinalStage),
    )


def counts(project) -> tuple[int, int]:
    return tuple(len(list(stage.get_tasks())) for stage in stages(project))


# -- runners -------------------------------------------------------------------------------------


def test_a_final_stage_takes_no_agent(every_kind):
    runner = Runner(project_hash=every_kind)
    with pytest.raises(PrintableError):

        @runner.stage("Complete")
        def agent() -> None: ...


def test_each_task_is_handled_once_whatever_is_in_the_dataset(project_hash):
    runner, agent = Runner(project_hash=project_hash), MagicMock()

    @runner.stage("Agent 1")
    def handle(task: AgentTask) -> str:
        agent(task.uuid)
        return "complete"

    project = runner.project
    n = len(project.list_label_rows_v2())
    assert n in (len(w.KINDS), w.PICTURE_COUNT) and counts(project) == (n, 0)
    runner(task_batch_size=11)
    assert agent.call_count == len({call.args for call in agent.call_args_list}) == n
    assert counts(project) == (0, n)


def test_no_more_than_asked_for_are_moved(pictures):
    runner, agent = Runner(project_hash=pictures), MagicMock()

    @runner.stage("Agent 1")
    def handle(task: AgentTask) -> str:
        agent()
        return "complete"

    runner(max_tasks_per_stage=2)
    assert agent.call_count == 2 and counts(runner.project) == (w.PICTURE_COUNT - 2, 2)


@pytest.mark.parametrize("at_definition", [True, False])
def test_the_callback_is_called_once_with_the_runner_when_it_runs(every_kind, at_definition):
    check = MagicMock(return_value=None)
    runner = Runner(project_hash=every_kind if at_definition else None, pre_execution_callback=check)

    @runner.stage("Agent 1")
    def agent() -> None: ...

    check.assert_not_called()
    runner(project_hash=None if at_definition else every_kind)
    check.assert_called_once_with(runner)


@pytest.mark.parametrize("wrong", ["no such way", uuid4()], ids=["name", "uuid"])
def test_a_wrong_pathway_names_the_right_one(every_kind, wrong):
    runner = Runner(project_hash=every_kind)

    @runner.stage("Agent 1")
    def agent(task: AgentTask):
        return wrong

    with pytest.raises(PrintableError) as refused:
        runner()
    assert ("complete" if isinstance(wrong, str) else w.PATHWAY) in str(refused.value)


def test_the_stage_is_the_templates_own(every_kind):
    runner, seen = Runner(project_hash=every_kind), []

    @runner.stage(w.AGENT)
    def agent(stage: AgentStage) -> str:
        (way,) = stage.pathways
        seen.append((str(stage.uuid), stage.title, way.name, str(way.uuid)))
        return way.name

    runner()
    assert set(seen) == {(w.AGENT, "Agent 1", "complete", w.PATHWAY)} and len(seen) == len(w.KINDS)


def test_storage_items_of_a_batch_are_fetched_together(pictures):
    runner = Runner(project_hash=pictures)

    @runner.stage("Agent 1")
    def agent(row: LabelRowV2, item: StorageItem) -> None:
        assert item.uuid == row.backing_item_uuid

    with patch.object(StorageItem, "_get_item") as single:
        with patch.object(StorageItem, "_get_items", side_effect=StorageItem._get_items) as several:
            runner(task_batch_size=w.PICTURE_COUNT)
    single.assert_not_called()
    several.assert_called_once()


def test_a_returned_row_is_saved_with_its_priority(platform, pictures):
    runner = Runner(project_hash=pictures)
    box = runner.project.ontology_structure.get_child_by_hash(w.BOX, type_=Object)

    @runner.stage("Agent 1", will_set_priority=True)
    def agent(row: LabelRowV2) -> TaskAgentReturnStruct:
        instance = box.create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(0.5, 0.5, 0, 0))
        row.add_object_instance(instance)
        return TaskAgentReturnStruct(pathway=UUID(w.PATHWAY), label_row=row, label_row_priority=0.1337)

    runner()
    project = platform.project(pictures)
    rows = project.list_label_rows_v2()
    with project.create_bundle() as bundle:
        for row in rows:
            row.initialise_labels(bundle=bundle)
    assert all(len(row.get_object_instances()) == 1 for row in rows)
    assert {row.priority for row in rows} == {0.1337}
    assert counts(project) == (0, w.PICTURE_COUNT)


def test_metadata_and_initialise_arguments_reach_every_kind_of_row(every_kind):
    runner, seen = Runner(project_hash=every_kind), {}
    include = LabelRowMetadataIncludeArgs(include_client_metadata=True, include_workflow_graph_node=True)
    initialise = LabelRowInitialiseLabelsArgs(include_signed_url=True)

    @runner.stage("Agent 1", label_row_metadata_include_args=include, label_row_initialise_labels_args=initialise)
    def agent(row: LabelRowV2) -> None:
        seen[row.data_title] = (dict(row.client_metadata), row.workflow_graph_node.title, row.is_labelling_initialised)

    runner()
    wanted = lambda kind: ({"item_type": kind, "suite": "on demand"}, "Agent 1", True)  # noqa: E731
    assert seen == {f"one {kind}": wanted(kind) for kind in w.KINDS}


def test_a_queue_drains_spec_by_spec(platform, every_kind):
    runner, agent = QueueRunner(project_hash=every_kind), MagicMock()
    assert not list(runner.get_agent_stages())

    @runner.stage("Agent 1")
    def handle(task: AgentTask) -> str:
        agent(task.uuid)
        return "complete"

    queue = [task.model_dump_json() for stage in runner.get_agent_stages() for task in stage.get_tasks()]
    assert len(queue) == len(w.KINDS) and counts(runner.project) == (len(w.KINDS), 0)
    for spec in queue:
        result = TaskCompletionResult.model_validate_json(handle(spec))
        assert result.success and not result.error and result.pathway == UUID(w.PATHWAY)
        assert (str(result.stage_uuid), result.task_uuid) == (w.AGENT, AgentTask.model_validate_json(spec).uuid)
    assert agent.call_count == len(queue) and counts(platform.project(every_kind)) == (0, len(w.KINDS))


# -- what dependencies need ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(client):
    """Rows and items of a project that several cases read, and a twin of it."""
    with ExitStack() as stack:
        mine, twin = (stack.enter_context(contextmanager(short_lived)(client, w.EVERY_KIND)) for _ in range(2))
        rows = client.get_project(mine).list_label_rows_v2()
        items = client.get_storage_items([r.backing_item_uuid for r in rows], sign_url=True)
        yield {"twin": twin, "rows": {i.item_type: r for i, r in zip(items, rows, strict=True)}, "items": {i.item_type: i for i in items}}


def test_rows_and_items_have_the_types_of_the_dataset(context):
    T, D = StorageItemType, DataType
    assert {t: r.data_type for t, r in context["rows"].items()} == {
        T.IMAGE: D.IMAGE, T.IMAGE_GROUP: D.IMG_GROUP, T.IMAGE_SEQUENCE: D.IMG_GROUP, T.VIDEO: D.VIDEO,
        T.AUDIO: D.AUDIO, T.PDF: D.PDF, T.PLAIN_TEXT: D.PLAIN_TEXT, T.GROUP: D.GROUP,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["VIDEO", "IMAGE", "IMAGE_GROUP", "IMAGE_SEQUENCE"])
def test_the_first_frame_has_the_items_size(context, kind):
    item = context["items"][StorageItemType[kind]]
    frame = dep_single_frame(item)
    sized = next(iter(item.get_child_items())) if kind == "IMAGE_GROUP" else item
    assert frame.dtype == np.uint8 and frame.shape == (sized.height, sized.width, 3)


def test_a_video_has_as_many_frames_as_its_row_and_samples_agree(context):
    video = context["items"][StorageItemType.VIDEO]
    n = context["rows"][StorageItemType.VIDEO].number_of_frames
    with contextmanager(dep_video_iterator)(video) as frames:
        every = list(frames)
    assert [f.frame for f in every] == list(range(n)) and all(isinstance(f, Frame) for f in every)
    assert np.array_equal(every[0].content, dep_single_frame(video))
    with contextmanager(dep_video_sampler)(video) as sample:
        assert [f.frame for f in sample([1, 2, 3])] == [1, 2, 3]
        assert abs(len(list(sample(1.0))) - n) <= 1 and abs(len(list(sample(0.5))) - n // 2) <= 1
    with pytest.raises(NotImplementedError):
        next(dep_video_iterator(context["items"][StorageItemType.IMAGE]))


def test_a_video_can_be_stepped_through_in_twos_to_its_end(context):
    video = context["items"][StorageItemType.VIDEO]
    with contextmanager(dep_video_iterator)(video) as frames, contextmanager(dep_video_sampler)(video) as sample:
        for sampled in sample(0.5):
            frame = next(frames)
            assert sampled.frame == frame.frame and np.array_equal(sampled.content, frame.content)
            next(frames)
        assert next(frames, None) is None


@pytest.mark.parametrize(
    "kind, suffix",
    [("PDF", ".pdf"), ("PLAIN_TEXT", ".txt"), ("AUDIO", ".mp3"), ("VIDEO", ".mp4"), ("IMAGE", ".jpeg"), ("IMAGE_SEQUENCE", ".mp4")],
)
def test_an_asset_is_a_file_while_it_is_needed(context, kind, suffix):
    item = context["items"][StorageItemType[kind]]
    with contextmanager(dep_asset)(item) as path:
        assert path.suffix == suffix and path.stat().st_size == item.file_size
    assert not path.exists()


@pytest.mark.parametrize("kind", ["IMAGE_GROUP", "GROUP"])
def test_a_group_is_not_a_single_file(context, kind):
    with pytest.raises(NotImplementedError):
        next(dep_asset(context["items"][StorageItemType[kind]]))


def test_the_twin_has_a_row_for_each_of_ours(context):
    twin_of = dep_twin_label_row(context["twin"])
    for row in context["rows"].values():
        twin = twin_of(row)
        assert twin.label_row.backing_item_uuid == row.backing_item_uuid
        assert twin.label_row.label_hash != row.label_hash
    with pytest.raises(PrintableError):
        dep_twin_label_row("no project")(row)


def test_client_and_item_come_as_they_are(context, client):
    item = context["items"][StorageItemType.VIDEO]
    assert dep_storage_item(item) is item
    assert dep_client().get_storage_item(item.uuid).name == client.get_storage_item(item.uuid).name


# -- bundles and the output of the command line ------------------------------------------------------


def test_items_are_updated_in_one_request(platform, client, every_kind):
    items = client.get_storage_items([r.backing_item_uuid for r in client.get_project(every_kind).list_label_rows_v2()])
    before = platform.requests_to("patch_items")
    with Bundle() as bundle:
        for n, item in enumerate(items):
            item.update(client_metadata={**item.client_metadata, "order": n}, bundle=bundle)
    assert platform.requests_to("patch_items") == before + 1
    again = platform.client().get_storage_items([i.uuid for i in items])
    assert [i.client_metadata["order"] for i in again] == list(range(len(items)))
    for item in again:
        metadata = {k: v for k, v in item.client_metadata.items() if k != "order"}
        item.update(client_metadata=metadata)


def test_tasks_are_moved_and_ranked_in_one_request_each(platform, client, pictures):
    project = client.get_project(pictures)
    tasks = list(stages(project)[0].get_tasks())
    rows = project.list_label_rows_v2()
    before = [platform.requests_to(e) for e in ("actions", "priorities")]
    with project.create_bundle() as bundle:
        for n, row in enumerate(rows):
            row.set_priority(n / len(rows), bundle=bundle)
    with project.create_bundle() as bundle:
        for task in tasks:
            task.proceed(pathway_uuid=w.PATHWAY, bundle=bundle)
    assert [platform.requests_to(e) for e in ("actions", "priorities")] == [n + 1 for n in before]
    assert counts(platform.project(pictures)) == (0, len(rows))


def command(platform, *args: str) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("encord-agents")
    return subprocess.run([tool, *args], env=platform.environment(), capture_output=True, text=True, timeout=60)


def test_the_command_prints_the_agent_stages(platform, every_kind):
    printed = command(platform, "print", "agent-nodes", every_kind).stdout
    assert f'AgentStage(title="Agent 1", uuid="{w.AGENT}")' in printed.replace("\n", "")
    assert "do not seem to have access" in command(platform, "print", "agent-nodes", str(uuid4())).stdout
    assert "encord-agents version: v0.2.10" in command(platform, "print", "system-info").stdout


# -- the whole of it, as one script --------------------------------------------------------------


def test_a_script_makes_three_projects_runs_on_them_side_by_side_and_deletes_them(platform):
    done = subprocess.run(
        [sys.executable, SCRIPTS / "projects_on_demand.py", w.EVERY_KIND, w.ONTOLOGY, w.TEMPLATE],
        env=platform.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    n = len(w.KINDS)

    lines = done.stdout.splitlines()
    assert lines[0] == f"made 3 projects, {n} items each" and lines[1] == "runners ended with [0, 0, 0]"
    for number, line in enumerate(lines[2:5]):
        title, rest = line.split(": ", 1)
        assert title == f"on demand {number}" and f"{n - 1} notes by 1 process, priorities {{0.1337}}" in rest
        assert f"'Complete': {n}" in rest and "'Agent 1': 0" in rest
    assert lines[5:] == ["deleted, 0 left"]


def test_nothing_of_the_suites_projects_is_left(platform, client):
    project_hash = next(made := short_lived(client, w.EVERY_KIND))
    client.get_project(project_hash).list_label_rows_v2()[0].initialise_labels()
    list(made)
    with pytest.raises(AuthorisationError):
        platform.project(project_hash)
    assert {r.title for r in platform.client().get_dataset(w.EVERY_KIND).data_rows} == {f"one {k}" for k in w.KINDS}
