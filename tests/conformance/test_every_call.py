"""Every call that the SDK can make is served, or refused by name: never as if nobody had it."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
import requests
from encord.http.query_methods import QueryMethods

import sdk_calls
import world as w

#: How this server answers what it has never heard of.
NEVER_HEARD = ("this server knows no", "is not possible on", "does not know the call")


@pytest.fixture(scope="module")
def server(start_for_all, world_file):
    """A server of its own: nothing that the calls do is missed."""
    return start_for_all("--scenario-file", world_file)


def answer(request: requests.PreparedRequest) -> tuple[int, str]:
    with requests.Session() as session:
        found = session.send(request, timeout=30)
    return found.status_code, found.text


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
    } <= calls
    assert {("GET", "labelrowmetadata"), ("PUT", "labelrow"), ("POST", "labelworkflowgraphnode")} <= sdk_calls.legacy()


def test_every_call_of_the_second_generation_is_served_or_refused_by_name(server):
    config = server.client()._config
    wrong = {}
    for method, path in sorted(sdk_calls.second_generation()[0]):
        while "{}" in path:
            path = path.replace("{}", str(uuid4()), 1)
        url = f"{server.domain}/v2/public/{path}"
        body = {} if method in ("GET", "DELETE") else {"json": {}}
        status, text = answer(config.define_headers_v2(requests.Request(method, url, **body).prepare()))
        by_name = status == 501 and method in text and path in text
        if status in (401, 405, 500) or any(words in text for words in NEVER_HEARD) or (status == 501 and not by_name):
            wrong[f"{method} {path}"] = (status, text)
    assert not wrong, json.dumps(wrong, indent=1)


def test_every_legacy_call_is_served_or_refused_by_name(server):
    projects, user = server.project(w.MAIN)._client._querier, server.client().querier
    datasets = server.client().get_dataset(w.SMALL)._client._querier
    wrong = {}
    for method, query in sorted(sdk_calls.legacy()):
        answers = []
        for querier in (projects, datasets, user):
            call = querier._request(QueryMethods(method), query, str(uuid4()), 30, payload={})
            request = requests.Request("POST", querier._config.endpoint, data=call.data, headers=call.headers)
            _, text = answer(request.prepare())
            answers.append(text)
        # One of the three knows it.
        if all(any(words in text for words in NEVER_HEARD) for text in answers):
            wrong[f"{method} {query}"] = answers
    assert not wrong, json.dumps(wrong, indent=1)
