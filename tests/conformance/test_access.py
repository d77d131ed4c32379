"""Who may: signatures, keys, bearer tokens; and which error reaches the caller as which exception."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from encord import EncordUserClient
from encord.exceptions import (
    AnswerDictionaryError,
    AuthenticationError,
    AuthorisationError,
    EncordException,
    InvalidArgumentsError,
    MethodNotAllowedError,
    ResourceNotFoundError,
)
from encord.http.constants import RequestsSettings
from encord.objects import Object
from encord.objects.coordinates import BoundingBoxCoordinates

import world as w


def private_key(server) -> Ed25519PrivateKey:
    with open(server.key_file, "rb") as file:
        return load_ssh_private_key(file.read(), None)


def signed(key: Ed25519PrivateKey, method: str, target: str, body: bytes = b"", created: int | None = None) -> dict:
    """The three headers of the newer API, made here and not by the package."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    what = f'("@method" "@request-target" "content-digest");created={created or int(time.time())}'
    what += f';keyid="{public}";alg="ed25519"'
    lines = [f'"@method": {method}', f'"@request-target": {target}', f'"content-digest": {digest}']
    base = "\n".join([*lines, f'"@signature-params": {what}'])
    signature = base64.b64encode(key.sign(base.encode())).decode()
    return {
        "Content-Digest": digest,
        "Signature-Input": f"encord-sig={what}",
        "Signature": f"encord-sig=:{signature}:",
    }


def get(server, target: str, headers: dict) -> requests.Response:
    return requests.get(server.domain + target, headers=headers, timeout=30)


def test_a_key_that_the_server_does_not_know_is_refused_by_both_apis(shared, stranger_key):
    stranger = shared.client(stranger_key)
    with pytest.raises(AuthenticationError):
        stranger.get_project(w.MAIN)
    with pytest.raises(AuthenticationError):
        stranger.create_project("mine", [w.SMALL], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE)


def test_a_second_user_with_a_key_of_its_own_is_let_in_and_named(shared, second_key, make_project):
    project = make_project()
    other = shared.client(second_key[0]).get_project(project.project_hash)
    next(iter(other.workflow.get_stage(name="Agent 1").get_tasks())).proceed(pathway_name="second")
    moved = next(iter(shared.project(project.project_hash).workflow.get_stage(name="Agent 2").get_tasks()))
    assert moved.last_actioned_by == w.SECOND_USER


def test_a_signature_made_here_is_accepted(shared):
    target = f"/v2/public/projects/{w.MAIN}"
    assert get(shared, target, signed(private_key(shared), "GET", target)).json()["title"] == "Main project"


@pytest.mark.parametrize(
    "query", ["?dataTitleContains=a+b%26%C3%A9", "?dataTitleContains=a%20b", "?dataHashes=&statuses=NEW&statuses=NEW"]
)
def test_the_signature_covers_the_query_exactly_as_sent(shared, query):
    target = f"/v2/public/projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks{query}"
    headers = signed(private_key(shared), "GET", target)
    assert get(shared, target, headers).status_code in (200, 400)
    assert get(shared, target + "&x=1", headers).status_code == 401


def test_a_changed_body_method_or_digest_is_refused(shared):
    target, key = f"/v2/public/projects/{w.MAIN}/priorities", private_key(shared)
    body = b'{"priorities": []}'
    headers = {**signed(key, "POST", target, body), "Content-Type": "application/json"}
    post = lambda data, head: requests.post(shared.domain + target, data=data, headers=head, timeout=30).status_code  # noqa: E731
    assert post(body, headers) == 200
    assert post(b'{"priorities": [ ]}', headers) == 401
    other = hashlib.sha256(b"{}").digest()
    assert post(body, {**headers, "Content-Digest": f"sha-256=:{base64.b64encode(other).decode()}:"}) == 401
    assert post(body, {**headers, **signed(key, "PUT", target, body)}) == 401
    assert post(body, {"Content-Type": "application/json"}) == 401


@pytest.mark.parametrize("off", [-3600, 3600])
def test_a_signature_from_an_hour_away_is_refused(shared, off):
    target = f"/v2/public/projects/{w.MAIN}"
    late = signed(private_key(shared), "GET", target, created=int(time.time()) + off)
    assert get(shared, target, late).status_code == 401
    near = signed(private_key(shared), "GET", target, created=int(time.time()) - 60)
    assert get(shared, target, near).status_code == 200


def test_the_older_api_refuses_a_signature_over_another_body(shared):
    key = private_key(shared)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    call = {"query_type": "project", "query_method": "GET", "values": {"uid": None, "payload": None}}
    body = json.dumps(call).encode()
    sign = lambda data: f"{public}:{key.sign(hashlib.sha256(data).digest()).hex()}"  # noqa: E731
    headers = {"ResourceType": "project", "ResourceID": w.MAIN, "Content-Type": "application/json"}
    post = lambda by: requests.post(  # noqa: E731
        f"{shared.domain}/public", data=body, headers={**headers, "Authorization": by}, timeout=30
    )
    assert post(sign(body)).json()["status"] == 200
    refused = post(sign(body + b" "))
    assert (refused.status_code, refused.json()["response"]) == (200, ["AUTHENTICATION_ERROR"])


def test_a_bearer_token_opens_both_apis(shared):
    token = shared.client().get_bearer_token()
    by_token = EncordUserClient.create_with_bearer_token(token, domain=shared.domain)
    project = by_token.get_project(w.MAIN)
    assert len(project.list_label_rows_v2()) == len(w.HASH) + w.SMALL_COUNT
    assert len(list(by_token.get_storage_items([w.ITEM["image"]]))) == 1


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_a_made_up_bearer_token_is_refused(shared, token):
    client = EncordUserClient.create_with_bearer_token(token, domain=shared.domain)
    with pytest.raises(AuthenticationError):
        client.get_project(w.MAIN)


def test_a_changed_bearer_token_is_refused(shared):
    token = shared.client().get_bearer_token()
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    with pytest.raises(AuthenticationError):
        EncordUserClient.create_with_bearer_token(changed, domain=shared.domain).get_project(w.MAIN)


def test_a_malformed_project_hash_is_refused_and_not_served(shared):
    with pytest.raises(EncordException) as refused:
        shared.client().get_project("not-a-uuid")
    assert isinstance(refused.value, (AuthorisationError, InvalidArgumentsError)) or "422" in str(refused.value)


def test_an_unknown_ontology_dataset_or_folder_is_refused(shared):
    client = shared.client()
    with pytest.raises((AuthorisationError, ResourceNotFoundError)):
        client.get_ontology(str(uuid4()))
    with pytest.raises((AuthorisationError, ResourceNotFoundError)):
        client.get_dataset(str(uuid4()))
    with pytest.raises((AuthorisationError, ResourceNotFoundError)):
        client.get_storage_folder(uuid4())


def test_a_path_that_does_not_exist_is_not_found(shared):
    with pytest.raises(ResourceNotFoundError):
        shared.client()._api_client.get("projects/nowhere/at/all", params=None, result_type=None)


def test_a_method_that_does_not_exist_is_not_allowed(shared):
    with pytest.raises(MethodNotAllowedError):
        shared.client()._api_client.delete(f"ontologies/{w.ONTOLOGY}", params=None, result_type=None)


def test_creating_labels_of_an_unknown_data_unit_is_not_found(shared, make_project):
    row = make_project().list_label_rows_v2()[0]
    object.__setattr__(row._label_row_read_only_data, "data_hash", str(uuid4()))
    with pytest.raises(ResourceNotFoundError):
        row.initialise_labels()


def test_a_priority_outside_of_nought_to_one_is_refused_whole(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()
    with pytest.raises(InvalidArgumentsError):
        with project.create_bundle() as bundle:
            rows[0].set_priority(0.9, bundle=bundle)
            rows[1].set_priority(1.5, bundle=bundle)
    assert {r.priority for r in shared.project(project.project_hash).list_label_rows_v2()} == {0.5}


def test_a_save_with_an_object_that_has_no_answers_entry_is_refused(shared, make_project):
    project = make_project()
    row = project.list_label_rows_v2()[0]
    row.initialise_labels()
    instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
    instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1))
    row.add_object_instance(instance)
    whole = row.to_encord_dict
    row.to_encord_dict = lambda *args, **kwargs: {**whole(*args, **kwargs), "object_answers": {}}
    with pytest.raises(AnswerDictionaryError):
        row.save()
    again = shared.project(project.project_hash).list_label_rows_v2(data_hashes=[row.data_hash])[0]
    again.initialise_labels()
    assert not again.get_object_instances()


def test_a_refused_row_in_a_bundle_of_saves_saves_none(shared, make_project):
    project = make_project()
    rows = project.list_label_rows_v2()[:3]
    for row in rows:
        row.initialise_labels()
        instance = row.ontology_structure.get_child_by_title("Vehicle", Object).create_instance()
        instance.set_for_frames(BoundingBoxCoordinates(0.1, 0.1, 0.1, 0.1))
        row.add_object_instance(instance)
    object.__setattr__(rows[1]._label_row_read_only_data, "label_hash", str(uuid4()))
    with pytest.raises(EncordException):
        with project.create_bundle() as bundle:
            for row in rows:
                row.save(bundle=bundle)
    for row in shared.project(project.project_hash).list_label_rows_v2():
        row.initialise_labels()
        assert not row.get_object_instances()


def test_projects_are_not_made_from_an_unknown_dataset_template_or_ontology(shared):
    client = shared.client()
    count = len(list(client.list_projects()))
    right = {"dataset_hashes": [w.SMALL], "ontology_hash": w.ONTOLOGY, "workflow_template_hash": w.TEMPLATE}
    for wrong in ("dataset_hashes", "ontology_hash", "workflow_template_hash"):
        unknown = [str(uuid4())] if wrong == "dataset_hashes" else str(uuid4())
        with pytest.raises(EncordException):
            client.create_project("never", **{**right, wrong: unknown})
    assert len(list(shared.client().list_projects())) == count


def test_the_servers_own_pages_refuse_a_browser(shared):
    refused = requests.post(
        f"{shared.domain}/local/faults", json={"faults": []}, headers={"Origin": "http://example.test"}, timeout=30
    )
    assert refused.status_code == 403


def test_the_servers_own_pages_want_the_token_of_the_data_folder(shared):
    for headers in ({}, {"Authorization": "Bearer 00"}):
        refused = requests.get(f"{shared.domain}/local/state", headers=headers, timeout=30)
        assert refused.status_code == 401 and "local-token" in refused.text
    token = Path(shared.key_file).with_name("local-token")
    assert token.read_text() == shared.ready["local_token"] and token.stat().st_mode & 0o777 == 0o600
    headers = {"Authorization": f"Bearer {token.read_text()}"}
    assert requests.get(f"{shared.domain}/local/state", headers=headers, timeout=30).ok


def test_a_client_without_retries_reports_the_servers_message(faulty):
    faulty.faults("get_project:403*1")
    with pytest.raises(AuthorisationError):
        faulty.client().get_project(w.MAIN)
    assert faulty.client().get_project(w.MAIN).title == "Main project"


def test_requests_settings_reach_the_wire(shared):
    trace = "0123456789abcdef0123456789abcdef/1;o=1"
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=shared.key_file,
        domain=shared.domain,
        requests_settings=RequestsSettings(trace_id_provider=lambda: trace),
    )
    assert client.get_project(w.MAIN).title == "Main project"


def test_no_token_signature_or_signed_url_reaches_the_servers_log(start, tmp_path):
    log = tmp_path / "verbose.log"
    server = start("--scenario", "seed", "--tasks", "3", "-v", "-v", "--log-file", log)
    client = server.client()
    token = client.get_bearer_token()
    EncordUserClient.create_with_bearer_token(token, domain=server.domain).get_project(server.project_hash)
    project = client.get_project(server.project_hash)
    url = project.list_label_rows_v2()[0].get_storage_item(get_signed_urls=True).get_signed_url()
    assert requests.get(url, timeout=30).ok
    target = f"/v2/public/projects/{server.project_hash}"
    headers = signed(private_key(server), "GET", target)
    assert get(server, target, headers).ok
    assert server.stop() in (0, 143)
    written = [p for p in tmp_path.rglob("*") if p.is_file() and "log" in p.name]
    assert log in written
    secrets = [token, url.split("?")[1], url.split("seal=")[1], headers["Signature"][12:-1]]
    for path in written:
        text = path.read_text(errors="replace")
        for secret in secrets:
            assert secret not in text, f"{path.name} holds a secret"
