"""Everything that encord-agents injects: media, frames, twins, items, clients and one's own."""

from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Sequence

import cv2
import numpy as np
import pytest
import requests
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord.workflow.stages.agent import AgentTask
from encord_agents.core.data_model import Frame
from encord_agents.core.dependencies.shares import DataLookup
from encord_agents.exceptions import PrintableError
from encord_agents.tasks import Depends, Runner
from encord_agents.tasks.dependencies import (
    Twin,
    dep_asset,
    dep_client,
    dep_data_lookup,
    dep_single_frame,
    dep_storage_item,
    dep_twin_label_row,
    dep_video_iterator,
    dep_video_sampler,
)
from numpy.typing import NDArray
from typing_extensions import Annotated

import world as w

CLIP_FRAMES, CLIP_SHAPE = 74, (180, 320, 3)


@pytest.fixture(autouse=True)
def settings_of_the_shared_server(shared):
    """encord-agents keeps the first client it makes; it shall be one of this server."""
    from encord_agents.core.utils import get_user_client_from_settings

    get_user_client_from_settings.cache_clear()
    DataLookup.__instances__.clear()


@pytest.fixture
def run_on(shared, make_project):
    """Runs an agent on the one task of a kind of item; the others are out of its way."""

    def run(kind: str, agent: Callable[..., Any]):
        project = make_project(w.MIXED)
        stage = project.workflow.get_stage(name="Agent 1")
        others = [str(t.uuid) for t in stage.get_tasks() if str(t.data_hash) != w.HASH[kind]]
        shared.post("move", project=project.project_hash, tasks=others, stage="Archive")
        runner = Runner(project.project_hash, user_client=shared.client())
        runner.stage("Agent 1")(agent)
        runner(num_retries=0)
        done = shared.project(project.project_hash).workflow.get_stage(name="Complete").get_tasks()
        assert [str(t.data_hash) for t in done] == [w.HASH[kind]], "the agent failed; see its traceback above"
        return project

    return run


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("image", ".jpeg"),
        ("video", ".mp4"),
        ("imageSequence", ".mp4"),
        ("wav", ".wav"),
        ("mp3", ".mp3"),
        ("plainText", ".txt"),
        ("pdf", ".pdf"),
    ],
)
def test_an_asset_is_a_file_of_the_right_size_that_goes_with_the_task(shared, run_on, kind, suffix):
    seen: list[Path] = []

    def agent(item: StorageItem, asset: Annotated[Path, Depends(dep_asset)]) -> str:
        assert asset.stat().st_size == item.file_size
        assert asset.read_bytes() == requests.get(item.get_signed_url(), timeout=30).content
        seen.append(asset)
        return "complete"

    run_on(kind, agent)
    assert seen[0].suffix == suffix and not seen[0].exists()


@pytest.mark.parametrize("kind", ["image", "photo", "video", "imageSequence", "imageGroup"])
def test_the_first_frame_has_the_size_of_the_medium(run_on, kind):
    seen = []

    def agent(row: LabelRowV2, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
        seen.append((frame.shape, row.width, row.height))
        assert frame.dtype == np.uint8 and frame.std() > 1
        return "complete"

    run_on(kind, agent)
    shape, width, height = seen[0]
    assert len(shape) == 3 and shape[2] == 3
    if width:
        assert shape[:2] == (height, width)


def test_the_first_frame_of_a_picture_is_the_picture_in_rgb(shared, run_on):
    seen = []

    def agent(item: StorageItem, frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)]) -> str:
        seen.append((item.get_signed_url(), frame))
        return "complete"

    run_on("photo", agent)
    url, frame = seen[0]
    encoded = np.frombuffer(requests.get(url, timeout=30).content, np.uint8)
    assert np.array_equal(frame, cv2.imdecode(encoded, cv2.IMREAD_COLOR)[:, :, ::-1])


@pytest.mark.parametrize("kind", ["video", "imageSequence"])
def test_the_frames_of_a_video_come_all_and_in_order(run_on, kind):
    seen = []

    def agent(frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)]) -> str:
        seen.extend((f.frame, f.content.shape) for f in frames)
        return "complete"

    run_on(kind, agent)
    assert seen == [(n, CLIP_SHAPE) for n in range(CLIP_FRAMES)]


Sampler = Callable[[float | Sequence[int]], Iterable[Frame]]


def test_a_sampler_gives_every_nth_frame_or_the_ones_named(run_on):
    seen = {}

    def agent(sample: Annotated[Sampler, Depends(dep_video_sampler)]) -> str:
        seen["rate"] = [f.frame for f in sample(1 / 5)]
        seen["list"] = [f.frame for f in sample([70, 3, 41])]
        return "complete"

    run_on("video", agent)
    assert seen["list"] == [3, 41, 70]
    assert seen["rate"] == list(range(0, CLIP_FRAMES, 5))


def test_sampled_frames_are_the_frames_of_the_iterator(run_on):
    same = []

    def agent(
        frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)],
        sample: Annotated[Sampler, Depends(dep_video_sampler)],
    ) -> str:
        every = {f.frame: f.content for f in frames}
        same.extend(np.array_equal(every[f.frame], f.content) for f in sample([0, 30, 73]))
        return "complete"

    run_on("video", agent)
    assert same == [True, True, True]


def test_a_video_dependency_on_a_picture_is_not_supported(run_on):
    def agent(frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)]) -> str:
        return "complete"

    with pytest.raises(NotImplementedError):
        run_on("image", agent)


def test_the_storage_item_comes_by_type_and_by_dependency(run_on):
    def agent(
        by_type: StorageItem,
        annotated: Annotated[StorageItem, Depends(dep_storage_item)],
        by_default: StorageItem = Depends(dep_storage_item),
    ) -> str:
        assert str(by_type.uuid) == str(annotated.uuid) == str(by_default.uuid) == w.ITEM["pdf"]
        return "complete"

    run_on("pdf", agent)


def test_metadata_are_read_and_updated_through_the_storage_item(shared, make_project):
    project = make_project(w.SCRATCH)
    runner = Runner(project.project_hash, user_client=shared.client())

    @runner.stage("Agent 1")
    def agent(item: Annotated[StorageItem, Depends(dep_storage_item)]) -> str:
        item.update(client_metadata={"seen by": "an agent", **(item.client_metadata or {})})
        return "complete"

    runner(num_retries=0)
    rows = shared.project(project.project_hash).list_label_rows_v2(include_client_metadata=True)
    assert len(rows) == w.SCRATCH_COUNT
    assert {r.client_metadata["seen by"] for r in rows} == {"an agent"}


def test_the_client_is_one_that_works(run_on):
    def agent(client: Annotated[EncordUserClient, Depends(dep_client)]) -> str:
        assert client.get_dataset(w.SMALL).title == "Small"
        return "complete"

    run_on("image", agent)


def test_the_twin_brings_its_labels_and_its_task(shared, run_on, make_project):
    twin = make_project(w.MIXED)
    row = twin.list_label_rows_v2(data_hashes=[w.HASH["image"]])[0]
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.2, 0.3, 0.4))
    row.add_object_instance(instance)
    row.save()
    next(iter(twin.workflow.get_stage(name="Agent 1").get_tasks(data_hash=w.HASH["image"]))).proceed("annotate")
    seen = []

    def agent(
        lr: LabelRowV2, twin: Annotated[Twin, Depends(dep_twin_label_row(twin.project_hash, include_task=True))]
    ) -> str:
        seen.append((twin.label_row.get_object_instances()[0].object_hash, twin.task.status.value))
        assert not lr.get_object_instances() and twin.label_row.label_hash != lr.label_hash
        return "complete"

    run_on("image", agent)
    assert seen == [(instance.object_hash, "NEW")]


def test_a_twin_that_lacks_the_data_unit_is_none(shared, run_on, make_project):
    elsewhere = make_project(w.SMALL)
    seen = []

    def agent(twin: Annotated[Twin | None, Depends(dep_twin_label_row(elsewhere.project_hash))]) -> str:
        seen.append(twin)
        return "complete"

    run_on("image", agent)
    assert seen == [None]


def test_a_twin_without_labels_is_not_initialised(run_on):
    def agent(twin: Annotated[Twin, Depends(dep_twin_label_row(w.TWIN, init_labels=False))]) -> str:
        assert not twin.label_row.is_labelling_initialised and twin.task is None
        return "complete"

    run_on("video", agent)


def test_a_twin_that_does_not_exist_is_refused_when_it_is_named():
    with pytest.raises(PrintableError, match="access"):
        dep_twin_label_row("00000000-0000-4000-8000-000000000000")


def test_own_dependencies_nest_take_arguments_and_are_made_once_per_task(run_on):
    made, closed = [], []

    def opened(task: AgentTask) -> Iterator[str]:
        made.append(task.data_title)
        yield f"open {task.data_title}"
        closed.append(task.data_title)

    def described(prefix: str, item: StorageItem, handle: Annotated[str, Depends(opened)]) -> str:
        return f"{prefix} {item.name}: {handle}"

    def with_prefix(prefix: str):
        def dependency(item: StorageItem, handle: Annotated[str, Depends(opened)]) -> str:
            return partial(described, prefix)(item, handle)

        return dependency

    def agent(
        handle: Annotated[str, Depends(opened)], text: Annotated[str, Depends(with_prefix("the item"))]
    ) -> str:
        assert text == "the item note.txt: open note.txt" and handle == "open note.txt"
        assert not closed
        return "complete"

    run_on("plainText", agent)
    assert made == closed == ["note.txt"]


def test_the_deprecated_lookup_still_finds_rows_and_items(run_on):
    def agent(task: AgentTask, lookup: Annotated[DataLookup, Depends(dep_data_lookup)]) -> str:
        assert lookup.get_data_row(task.data_hash).title == task.data_title
        assert str(lookup.get_storage_item(task.data_hash).uuid) == w.ITEM["wav"]
        return "complete"

    run_on("wav", agent)
