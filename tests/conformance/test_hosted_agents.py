"""Editor agents as people host them: behind FastAPI with its own injection, and as a function behind Flask.

Without `from __future__ import annotations`: FastAPI must see the dependencies that a case makes for itself.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated
from uuid import uuid4

import pytest
from encord.constants.enums import DataType
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates
from encord.objects.ontology_labels_impl import LabelRowV2
from encord.objects.ontology_object_instance import ObjectInstance
from encord.project import Project
from encord.storage import StorageItem
from encord.user_client import EncordUserClient
from encord_agents.core.data_model import (
    EditorAgentResponse,
    Frame,
    FrameData,
    InstanceCrop,
    LabelRowInitialiseLabelsArgs,
    LabelRowMetadataIncludeArgs,
)
from encord_agents.core.exceptions import EncordEditorAgentException
from encord_agents.fastapi import dependencies as deps
from encord_agents.fastapi.cors import get_encord_app
from encord_agents.gcp import editor_agent as function_agent
from fastapi import Depends
from fastapi.testclient import TestClient
from flask import Flask, request

import world as w
from conftest import delete_project

EDITOR = "https://app.encord.com"


@pytest.fixture(autouse=True)
def settings_of_the_shared_server(shared):
    from encord_agents.core.utils import get_user_client_from_settings

    get_user_client_from_settings.cache_clear()


@pytest.fixture(scope="module")
def labelled(shared):
    """A project whose video has one box on frame 0 and another on frame 1."""
    client = shared.client()
    project_hash = client.create_project(
        "hosted", [w.MIXED], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    row = client.get_project(project_hash).list_label_rows_v2(data_hashes=[w.HASH["video"]])[0]
    row.initialise_labels()
    vehicle = row.ontology_structure.get_child_by_title("Vehicle", Object)
    hashes = []
    for frame, box in enumerate([BoundingBoxCoordinates(0.5, 0.5, 0.0, 0.0), BoundingBoxCoordinates(0.4, 0.4, 0.5, 0.5)]):
        instance = vehicle.create_instance()
        instance.set_for_frames(box, frames=[frame])
        row.add_object_instance(instance)
        hashes.append(instance.object_hash)
    row.save()
    yield SimpleNamespace(hash=project_hash, boxes=hashes)
    delete_project(shared, project_hash)


def post(agent, project_hash: str, data_hash: str = w.HASH["video"], frame: int = 0, **more):
    """Sends what the editor sends to an app with this one route."""
    app = get_encord_app()
    app.post("/agent")(agent)
    body = {"projectHash": str(project_hash), "dataHash": data_hash, "frame": frame, **more}
    return TestClient(app).post("/agent", json=body, headers={"Origin": EDITOR})


def test_project_row_item_and_client_are_those_of_the_request(labelled):
    def agent(
        client: Annotated[EncordUserClient, Depends(deps.dep_client)],
        project: Annotated[Project, Depends(deps.dep_project)],
        row: Annotated[LabelRowV2, Depends(deps.dep_label_row)],
        item: Annotated[StorageItem, Depends(deps.dep_storage_item)],
    ) -> dict:
        return {"project": client.get_project(project.project_hash).title, "row": row.data_hash, "item": str(item.uuid)}

    answer = post(agent, labelled.hash)
    assert answer.json() == {"project": "hosted", "row": w.HASH["video"], "item": w.ITEM["video"]}
    assert answer.headers["Access-Control-Allow-Origin"] == EDITOR


def test_the_row_comes_with_what_was_asked_for(labelled):
    include = LabelRowMetadataIncludeArgs(include_client_metadata=True, include_workflow_graph_node=True)
    initialise = LabelRowInitialiseLabelsArgs(include_signed_url=True)

    def agent(row: Annotated[LabelRowV2, Depends(deps.dep_label_row_with_args(include, initialise))]) -> dict:
        return {"site": row.client_metadata["site"], "stage": row.workflow_graph_node.title, "link": row.data_link}

    answer = post(agent, labelled.hash, w.HASH["image"]).json()
    assert (answer["site"], answer["stage"]) == ("cam1", "Agent 1")
    assert answer["link"].startswith("http://127.0.0.1")


def test_a_branch_that_is_not_there_yet_is_a_row_of_its_own(labelled):
    include = LabelRowMetadataIncludeArgs(branch_name="by an agent")

    def agent(row: Annotated[LabelRowV2, Depends(deps.dep_label_row_with_args(include))]) -> dict:
        return {"branch": row.branch_name, "boxes": len(row.get_object_instances())}

    assert post(agent, labelled.hash).json() == {"branch": "by an agent", "boxes": 0}


def test_only_the_named_objects_are_handed_over(labelled):
    def agent(frame_data: FrameData, boxes: Annotated[list[ObjectInstance], Depends(deps.dep_objects)]) -> dict:
        return {"asked": frame_data.object_hashes, "got": [b.object_hash for b in boxes]}

    first = labelled.boxes[:1]
    assert post(agent, labelled.hash, objectHashes=first).json() == {"asked": first, "got": first}


@pytest.mark.parametrize("frame", [0, 1])
def test_crops_are_those_of_the_frame_that_the_editor_shows(labelled, frame):
    def agent(crops: Annotated[list[InstanceCrop], Depends(deps.dep_object_crops())]) -> list:
        return [[c.frame, c.instance.object_hash, list(c.content.shape)] for c in crops]

    ((at, box, shape),) = post(agent, labelled.hash, frame=frame).json()
    assert (at, box) == (frame, labelled.boxes[frame])
    assert shape == ([90, 160, 3] if frame == 0 else [72, 128, 3])


def test_the_frame_as_a_file_the_frame_and_all_frames_are_injected(labelled):
    def agent(
        asset: Annotated[Path, Depends(deps.dep_asset)],
        frame: Annotated[object, Depends(deps.dep_single_frame)],
        frames: Annotated[object, Depends(deps.dep_video_iterator)],
    ) -> dict:
        assert isinstance(first := next(iter(frames)), Frame)
        return {"suffix": asset.suffix, "shape": list(frame.shape), "same": bool((first.content == frame).all())}

    assert post(agent, labelled.hash).json() == {"suffix": ".png", "shape": [180, 320, 3], "same": True}


def test_every_row_but_a_data_group_has_a_file_and_so_do_the_parts_of_a_group(shared, labelled):
    def agent(asset: Annotated[Path, Depends(deps.dep_asset)]) -> dict:
        return {"bytes": asset.stat().st_size}

    rows = shared.project(labelled.hash).list_label_rows_v2(include_children=True)
    with_files = [row.data_hash for row in rows if row.data_type != DataType.GROUP]
    assert len(with_files) == len(w.HASH) - 1 + len(w.GROUP_CHILDREN)
    for data_hash in with_files:
        answer = post(agent, labelled.hash, data_hash)
        assert answer.status_code == 200 and answer.json()["bytes"] > 0, (data_hash, answer.text)


def test_answers_and_errors_reach_the_editor(labelled):
    def speaks() -> EditorAgentResponse:
        return EditorAgentResponse(message="done")

    def fails() -> None:
        raise EncordEditorAgentException(message="not today")

    assert post(speaks, labelled.hash).json() == {"message": "done"}
    answer = post(fails, labelled.hash)
    assert (answer.status_code, answer.json()) == (400, {"message": "not today"})
    assert answer.headers["Access-Control-Allow-Origin"] == EDITOR


@pytest.mark.parametrize("what", ["dep_project", "dep_label_row", "dep_storage_item"])
def test_an_unknown_project_is_forbidden_with_a_reason(shared, what):
    def agent(thing: Annotated[object, Depends(getattr(deps, what))]) -> None: ...

    answer = post(agent, uuid4())
    assert answer.status_code == 403 and str(answer.json()["message"]).strip()


@pytest.mark.parametrize("known", [True, False])
def test_a_function_behind_flask_saves_labels_or_is_forbidden(shared, make_project, known):
    project = make_project(w.SMALL)

    @function_agent()
    def agent(row: LabelRowV2, item: StorageItem, project: Project) -> None:
        instance = project.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1))
        row.add_object_instance(instance)
        row.save()

    target = project.project_hash if known else str(uuid4())
    body = {"projectHash": target, "dataHash": str(w.small_hash(2)), "frame": 0}
    with Flask(__name__).test_request_context("/", method="POST", json=body):
        answer = agent(request)
    assert answer.status_code == (200 if known else 403)
    row = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(2)])[0]
    row.initialise_labels()
    assert len(row.get_object_instances()) == (1 if known else 0)
