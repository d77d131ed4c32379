"""encord-agents' editor agents (the form for AWS Lambda, which needs no further package) on the same server."""

import json
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.project import Project
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord_agents import FrameData
from encord_agents.aws import editor_agent
from encord_agents.aws.dependencies import (
    dep_asset,
    dep_client,
    dep_object_crops,
    dep_objects,
    dep_single_frame,
    dep_storage_item,
    dep_video_iterator,
)
from encord_agents.core.data_model import EditorAgentResponse, Frame, InstanceCrop, LabelRowMetadataIncludeArgs
from encord_agents.core.dependencies import Depends
from numpy.typing import NDArray
from typing_extensions import Annotated

import world as w


@pytest.fixture(autouse=True)
def settings_of_the_shared_server(shared):
    from encord_agents.core.utils import get_user_client_from_settings

    get_user_client_from_settings.cache_clear()


def event(project, data_hash: str, frame: int = 0, objects: list[str] | None = None) -> dict:
    body = {"projectHash": str(project), "dataHash": data_hash, "frame": frame, "objectHashes": objects}
    return {"headers": {}, "body": json.dumps(body)}


def test_an_editor_agent_saves_labels(shared, make_project):
    project = make_project(w.MIXED)

    @editor_agent()
    def agent(frame_data: FrameData, project: Project, row: LabelRowV2) -> None:
        instance = project.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1), frames=frame_data.frame)
        row.add_object_instance(instance)
        row.save()

    assert agent(event(project.project_hash, w.HASH["video"], frame=7), None)["statusCode"] == 204
    row = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.HASH["video"]])[0]
    row.initialise_labels()
    assert [a.frame for a in row.get_object_instances()[0].get_annotations()] == [7]


def test_an_editor_agent_answers_with_a_message(make_project):
    @editor_agent()
    def agent(frame_data: FrameData) -> EditorAgentResponse:
        return EditorAgentResponse(message=f"frame {frame_data.frame}")

    answer = agent(event(w.MAIN, w.HASH["image"], frame=0), None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"message": "frame 0"})


def test_an_unknown_project_is_forbidden(shared):
    @editor_agent()
    def agent(row: LabelRowV2) -> None: ...

    assert agent(event(w.fixed("no project"), w.HASH["image"]), None)["statusCode"] == 403


def test_media_items_and_client_are_injected(make_project):
    project, seen = make_project(w.MIXED), {}

    @editor_agent(label_row_metadata_include_args=LabelRowMetadataIncludeArgs(include_client_metadata=True))
    def agent(
        row: LabelRowV2,
        by_type: StorageItem,
        item: Annotated[StorageItem, Depends(dep_storage_item)],
        asset: Annotated[Path, Depends(dep_asset)],
        frame: Annotated[NDArray[np.uint8], Depends(dep_single_frame)],
        client: Annotated[EncordUserClient, Depends(dep_client)],
    ) -> None:
        seen.update(size=asset.stat().st_size == item.file_size, shape=frame.shape, metadata=row.client_metadata)
        assert by_type.uuid == item.uuid and client.get_dataset(w.SMALL).title == "Small"

    assert agent(event(project.project_hash, w.HASH["image"]), None)["statusCode"] == 204
    assert seen == {"size": True, "shape": (512, 512, 3), "metadata": {"site": "cam1", "lux": 120}}


@pytest.mark.parametrize("frame", [0, 33, 73])
def test_the_frame_that_the_editor_shows_is_the_frame_of_the_video(frame):
    seen = []

    @editor_agent()
    def agent(
        shown: Annotated[NDArray[np.uint8], Depends(dep_single_frame)],
        frames: Annotated[Iterator[Frame], Depends(dep_video_iterator)],
    ) -> None:
        seen.append(np.array_equal(shown, next(f.content for f in frames if f.frame == frame)))

    assert agent(event(w.MAIN, w.HASH["video"], frame=frame), None)["statusCode"] == 204
    assert seen == [True]


def test_objects_and_their_crops_are_those_on_the_frame(shared, make_project):
    project = make_project(w.MIXED)
    row = project.list_label_rows_v2(data_hashes=[w.HASH["video"]])[0]
    row.initialise_labels()
    made = []
    for frame in (2, 3):
        instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(0.5, 0.25, 0.25, 0.25), frames=frame)
        row.add_object_instance(instance)
        made.append(instance.object_hash)
    row.save()
    seen = {}

    @editor_agent()
    def agent(
        crops: Annotated[list[InstanceCrop], Depends(dep_object_crops())],
        objects: Annotated[list, Depends(dep_objects)],
    ) -> None:
        seen["crops"] = [(c.instance.object_hash, c.content.shape) for c in crops]
        seen["objects"] = [o.object_hash for o in objects]

    answer = agent(event(project.project_hash, w.HASH["video"], frame=2, objects=[made[0]]), None)
    assert answer["statusCode"] == 204, answer
    assert seen == {"crops": [(made[0], (90, 80, 3))], "objects": [made[0]]}


def test_a_child_of_a_group_has_its_storage_item(shared):
    seen = []

    @editor_agent()
    def agent(item: StorageItem) -> None:
        seen.append(item.name)

    assert agent(event(w.MAIN, w.GROUP_CHILDREN[1]), None)["statusCode"] == 204
    assert seen == ["group_note.txt"]
