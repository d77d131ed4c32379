"""Every call that the SDK can make is served, or refused with 501 by name and with what to do instead."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
import requests
from encord.http.query_methods import QueryMethods

import sdk_calls
import world as w

@pytest.fixture(scope="module")
def server(start_for_all, world_file):
    """A server of its own: nothing that the calls do is missed."""
    return start_for_all("--scenario-file", world_file)


def send(server, request: requests.PreparedRequest, name: str) -> tuple[bool, str]:
    """Whether a call is served, or else refused with 501 by `name` and with a reason; and its answer.

    Requests that no row of the server's table serves are counted as `unknown`.
    """
    before = server.requests_to("unknown")
    with requests.Session() as session:
        answer = session.send(request, timeout=30)
    if server.requests_to("unknown") == before:
        return answer.status_code not in (401, 405, 500), answer.text
    refusal = answer.json()
    status = refusal.get("status", answer.status_code)
    reason = refusal.get("payload") or refusal["message"]
    return status == 501 and f"{name}: " in reason, answer.text


def test_the_calls_of_the_package_can_be_read_from_it():
    calls, unread = sdk_calls.second_generation()
    assert not unread
    # A few of each kind, so that a change of the package's ways is noticed.
    assert {
        ("GET", "projects/{}/workflow/stages/{}/tasks"),
        ("POST", "storage/items/get-bulk"),
        ("PATCH", "storage/folders/{}/items/{}"),
        ("DELETE", "index/presets/{}"),
        ("GET", "ml-models"),
        ("POST", "index/collections/{}/add-items"),
    } <= calls
    assert {("GET", "labelrowmetadata"), ("PUT", "labelrow"), ("POST", "labelworkflowgraphnode")} <= sdk_calls.legacy()


def test_every_v2_call_is_served_or_refused_by_name(server):
    config, wrong = server.client()._config, {}
    for method, path in sorted(sdk_calls.second_generation()[0]):
        while "{}" in path:
            path = path.replace("{}", str(uuid4()), 1)
        url = f"{server.domain}/v2/public/{path}"
        body = {} if method in ("GET", "DELETE") else {"json": {}}
        request = config.define_headers_v2(requests.Request(method, url, **body).prepare())
        fine, answer = send(server, request, f"{method} /v2/public/{path}")
        if not fine:
            wrong[f"{method} {path}"] = answer
    assert not wrong, json.dumps(wrong, indent=1)


def test_every_legacy_call_is_served_or_refused_by_name(server):
    projects, user = server.project(w.MAIN)._client._querier, server.client().querier
    datasets, wrong = server.client().get_dataset(w.SMALL)._client._querier, {}
    for method, query in sorted(sdk_calls.legacy()):
        answers = []
        for querier in (projects, datasets, user):
            call = querier._request(QueryMethods(method), query, str(uuid4()), 30, payload={})
            request = requests.Request("POST", querier._config.endpoint, data=call.data, headers=call.headers)
            answers.append(send(server, request.prepare(), f"{method} {query}"))
        # The SDK sends it to one of the three.
        if not any(fine for fine, _ in answers):
            wrong[f"{method} {query}"] = answers
    assert not wrong, json.dumps(wrong, indent=1)
