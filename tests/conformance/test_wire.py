"""The wire itself: fields that must be there though null, sizes, encodings, many clients at once."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from encord.exceptions import InvalidArgumentsError

import world as w
from test_access import private_key, signed

TASK = {"uuid", "createdAt", "updatedAt", "status", "dataHash", "dataTitle", "labelBranchName", "assignee"}
ITEM = set(
    """uuid parent itemType name clientMetadata owner createdAt lastEditedAt backedDataUnitsCount storageLocation
    integrationHash url signedUrl fileSize mimeType duration fps height width dicomInstanceUid dicomStudyUid
    dicomSeriesUid frameCount audioSampleRate audioBitDepth audioCodec audioNumChannels""".split()
)
ROW = set(
    """label_hash branch_name created_at last_edited_at data_hash dataset_hash dataset_title data_title data_type
    data_link label_status annotation_task_status is_shadow_data number_of_frames duration frames_per_second height
    width audio_codec audio_sample_rate audio_bit_depth audio_num_channels task_uuid priority file_type is_valid
    backing_item_uuid assigned_user_email last_actioned_by_user_email group_hash spaces client_metadata images_data
    workflow_graph_node""".split()
)
BLOB = set(
    """label_hash branch_name created_at last_edited_at data_hash dataset_hash dataset_title data_title data_type
    label_status data_units object_answers classification_answers object_actions spaces""".split()
)


def get(server, target: str, **headers: str) -> requests.Response:
    return requests.get(
        server.domain + target, headers={**signed(private_key(server), "GET", target), **headers}, timeout=60
    )


def legacy(server, project: str, kind: str, method: str, uid, payload, **headers: str) -> requests.Response:
    body = json.dumps({"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}}).encode()
    key = private_key(server)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    known = {
        "Authorization": f"{public}:{key.sign(sha256(body).digest()).hex()}",
        "ResourceType": "project",
        "ResourceID": project,
        "Content-Type": "application/json",
    }
    return requests.post(f"{server.domain}/public", data=body, headers={**known, **headers}, timeout=60)


@pytest.mark.parametrize(
    ("stage", "fields"),
    [
        (w.AGENT_1, TASK | {"lastActionedBy"}),
        (w.REVIEW, TASK - {"labelBranchName"}),
        (w.COMPLETE, TASK - {"labelBranchName", "status", "assignee"}),
    ],
    ids=["agent", "review", "done"],
)
def test_a_task_has_every_field_though_it_be_null(shared, stage, fields):
    page = get(shared, f"/v2/public/projects/{w.MAIN}/workflow/stages/{stage}/tasks").json()
    assert page["results"] and "nextPageToken" in page
    for task in page["results"]:
        assert fields <= set(task)


def test_an_item_has_every_field_though_it_be_null(shared):
    for kind in w.ITEM:
        item = get(shared, f"/v2/public/storage/items/{w.ITEM[kind]}").json()
        assert ITEM <= set(item), kind
        assert isinstance(item["clientMetadata"], str) and item["signedUrl"] is None


def test_a_row_has_every_field_though_it_be_null(shared):
    answer = legacy(shared, w.MAIN, "labelrowmetadata", "GET", None, {"include_uninitialised_labels": True}).json()
    assert answer["status"] == 200
    for row in answer["response"]:
        assert ROW <= set(row), row["data_title"]
        assert row["data_type"].isupper() and row["label_status"] == "NOT_LABELLED"


def test_a_label_row_has_every_field_of_its_kind(shared, make_project):
    project = make_project(w.MIXED)
    payload = {"multi_request": True, "get_signed_url": False, "branch_name": "main"}
    hashes = list(w.HASH.values())
    blobs = legacy(shared, project.project_hash, "labelrow", "PUT", hashes, payload).json()["response"]
    assert [b["data_hash"] for b in blobs] == hashes
    for kind, blob in zip(w.HASH, blobs):
        assert BLOB <= set(blob), kind
        assert blob["data_type"].islower()
        sequences = [u["data_sequence"] for u in blob["data_units"].values()]
        wanted = {"imageGroup": ["0", "1", "2"], "imageSequence": [str(n) for n in range(74)]}
        assert sequences == wanted.get(kind, [0]), kind
        assert all(unit["data_hash"] == key for key, unit in blob["data_units"].items())


def test_thirteen_hundred_data_hashes_fit_into_a_request_target(shared, make_project):
    project = make_project(w.PICTURES)
    hashes = [str(t.data_hash) for t in project.workflow.get_stage(name="Agent 1").get_tasks()]
    query = urlencode([("dataHashes", h) for h in hashes + [str(uuid4()) for _ in range(1070)]])
    target = f"/v2/public/projects/{project.project_hash}/workflow/stages/{w.AGENT_1}/tasks?{query}"
    assert 62_000 < len(target) < 64 << 10
    assert len(get(shared, target).json()["results"]) == 100


def test_a_body_of_forty_megabytes_is_taken(shared, make_project):
    project = make_project()
    target = f"/v2/public/projects/{project.project_hash}/priorities"
    body = json.dumps({"priorities": [[str(w.small_hash(0)), 0.25]]}).encode() + b" " * (40 << 20)
    headers = {**signed(private_key(shared), "POST", target, body), "Content-Type": "application/json"}
    assert requests.post(shared.domain + target, data=body, headers=headers, timeout=120).status_code == 200
    again = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    assert again.priority == 0.25


def test_the_older_api_packs_its_answers_when_asked(shared):
    payload = {"include_uninitialised_labels": True}
    packed = legacy(shared, w.MAIN, "labelrowmetadata", "GET", None, payload, **{"Accept-Encoding": "gzip"})
    plain = legacy(shared, w.MAIN, "labelrowmetadata", "GET", None, payload, **{"Accept-Encoding": "identity"})
    assert packed.headers.get("Content-Encoding") == "gzip"
    assert plain.headers.get("Content-Encoding") in (None, "identity")
    assert packed.json()["response"] == plain.json()["response"]


def test_an_answer_is_not_packed_for_who_did_not_ask(shared):
    target = f"/v2/public/projects/{w.MAIN}"
    answer = get(shared, target, **{"Accept-Encoding": "identity"})
    assert answer.headers.get("Content-Encoding") in (None, "identity")
    assert not answer.content.startswith(gzip.compress(b"")[:2])


def test_upper_case_uuids_mean_the_same(shared):
    upper = f"/v2/public/projects/{w.MAIN.upper()}/workflow/stages/{w.AGENT_1.upper()}/tasks"
    target = f"{upper}?dataHashes={w.HASH['pdf'].upper()}"
    assert [t["dataTitle"] for t in get(shared, target).json()["results"]] == ["form.pdf"]


def test_a_page_token_that_was_not_given_out_is_refused(shared):
    target = f"/v2/public/projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks?pageToken=nonsense"
    answer = get(shared, target)
    assert answer.status_code == 400 and (answer.json().get("message") or answer.json().get("detail"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"query_type": 5}', b"\xff\xfe", b'{"query_type":"labelrow"}'])
def test_a_broken_older_call_is_answered_in_the_envelope(shared, body):
    key = private_key(shared)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    headers = {
        "Authorization": f"{public}:{key.sign(sha256(body).digest()).hex()}",
        "ResourceType": "project",
        "ResourceID": w.MAIN,
    }
    answer = requests.post(f"{shared.domain}/public", data=body, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["status"] != 200 and len(answer.json()["response"]) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'[{"taskUuid": 5}]', b'[{"taskUuid": "x", "action": "y"}]'])
def test_broken_actions_are_refused_with_a_reason(shared, body):
    target = f"/v2/public/projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/actions"
    headers = {**signed(private_key(shared), "POST", target, body), "Content-Type": "application/json"}
    answer = requests.post(shared.domain + target, data=body, headers=headers, timeout=30)
    assert answer.status_code in (400, 422)
    assert answer.json().get("message") or answer.json().get("detail")


def test_eight_clients_at_once_move_every_task_once(shared, make_project):
    project = make_project(w.PICTURES)
    hashes = [t.data_hash for t in project.workflow.get_stage(name="Agent 1").get_tasks()]

    def drain(worker: int) -> int:
        own = shared.project(project.project_hash)
        moved = 0
        for task in own.workflow.get_stage(name="Agent 1").get_tasks(data_hash=hashes[worker % 4 :: 4]):
            try:
                task.proceed(pathway_name="complete")
                moved += 1
            except InvalidArgumentsError:
                pass  # the other one of the pair was first
        return moved

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(drain, range(8))) == w.PICTURE_COUNT
    done = list(shared.project(project.project_hash).workflow.get_stage(name="Complete").get_tasks())
    assert {t.data_hash for t in done} == set(hashes) and len(done) == w.PICTURE_COUNT


def test_many_clients_initialise_the_same_row_to_one_label_hash(shared, make_project):
    project = make_project()

    def initialise(_: int) -> str:
        row = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
        row.initialise_labels()
        return row.label_hash

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(initialise, range(12)))) == 1


def test_encord_agents_prints_the_agent_stages(shared, tmp_path):
    printed = subprocess.run(
        [Path(sys.executable).with_name("encord-agents"), "print", "agent-nodes", w.MAIN],
        env={**shared.environment(), "COLUMNS": "200"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    text = printed.stdout + printed.stderr
    assert printed.returncode == 0, text
    for stage in (w.AGENT_1, w.AGENT_2):
        assert stage in text and UUID(stage)
