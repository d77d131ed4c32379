"""Which mistake becomes which exception, call by call: unknown and malformed ids, wrong kinds, foreign keys.

Existing things are named by `w`; nothing is changed by a refused call, which `test_nothing_has_changed` holds.
"""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from encord.exceptions import (
    AuthenticationError,
    AuthorisationError,
    InvalidArgumentsError,
    ResourceNotFoundError,
)
from encord.http.constants import RequestsSettings
from encord.orm.dataset import DatasetUserRole
from encord.orm.project import ProjectStatus
from encord.user_client import EncordUserClient
from encord.utilities.project_user import ProjectUserRole
from encord.workflow.common import WorkflowClient

import world as w

NO, BAD = "9e107d9d-372b-4b68-9d81-7a3f0c7a0001", "not-a-uuid"
Denied, Missing, Wrong = AuthorisationError, ResourceNotFoundError, InvalidArgumentsError


def clients(server, key=None) -> SimpleNamespace:
    """What the calls below use, made by one client; a foreign key gets as far as its first call."""
    client = EncordUserClient.create_with_ssh_private_key(
        ssh_private_key_path=key or server.key_file,
        domain=server.domain,
        requests_settings=RequestsSettings(max_retries=0, backoff_factor=0, connection_retries=0),
    )
    api = client._api_client
    return SimpleNamespace(
        user=client,
        api=api,
        get=lambda path: api.get(path, params=None, result_type=None),
        stage=WorkflowClient(api, UUID(w.MAIN)),
    )


@pytest.fixture(scope="module")
def ours(shared):
    c = clients(shared)
    c.main = c.user.get_project(w.MAIN)
    c.dataset = c.user.get_dataset(w.SMALL)
    c.folder = c.user.get_storage_folder(w.fixed("folder/mixed"))
    c.item = c.user.get_storage_item(w.ITEM["image"])
    c.agent = c.main.workflow.get_stage(name="Agent 1")
    c.task = next(iter(c.agent.get_tasks()))
    c.row = c.main.list_label_rows_v2()[0]
    return c


def act(c, stage, task, **action):
    """One action as it goes over the wire, whatever the SDK's own checks would do."""
    from encord.orm.base_dto import BaseDTO

    class Raw(BaseDTO):
        task_uuid: str
        action: str
        pathway_name: str | None = None
        pathway_uuid: str | None = None
        assignee: str | None = None

    c.api.post(
        f"projects/{w.MAIN}/workflow/stages/{stage}/actions",
        params=None,
        payload=[Raw(task_uuid=str(task), **action)],
        result_type=None,
    )


#: Name of the call → the call, and what it raises.
CALLS = {
    # projects
    "project: unknown": (lambda c: c.user.get_project(NO), Denied),
    "project: malformed": (lambda c: c.user.get_project(BAD), Denied),
    "project status: unknown project": (lambda c: c.user.get_project_client(NO).set_status(ProjectStatus.PAUSED), Denied),
    "project datasets: unknown project": (lambda c: c.get(f"projects/{NO}/datasets"), Denied),
    "project people: unknown project": (lambda c: c.get(f"projects/{NO}/users"), Denied),
    "project people: no such role": (lambda c: c.main._client._querier.basic_setter(type("ProjectUsers", (), {}), w.MAIN, payload={"user_emails": ["a@b.c"], "user_role": 77}), Wrong),
    "project branches: unknown project": (lambda c: c.get(f"projects/{NO}/branches"), Denied),
    "make a project: unknown dataset": (lambda c: c.user.create_project("x", [NO], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE), Missing),
    "make a project: unknown ontology": (lambda c: c.user.create_project("x", [w.SMALL], ontology_hash=NO, workflow_template_hash=w.TEMPLATE), Missing),
    "make a project: unknown template": (lambda c: c.user.create_project("x", [w.SMALL], ontology_hash=w.ONTOLOGY, workflow_template_hash=NO), Missing),
    "make a project: malformed dataset": (lambda c: c.user.create_project("x", [BAD], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE), Wrong),
    "delete a project: unknown": (lambda c: c.user.querier.basic_delete(type("Project", (), {}), NO), Denied),
    "delete a project: malformed": (lambda c: c.user.querier.basic_delete(type("Project", (), {}), BAD), Wrong),
    "copy a project: unknown": (lambda c: c.user.get_project_client(NO).copy_project(), Denied),
    "drop a dataset: not used": (lambda c: c.main.remove_datasets([w.PICTURES]), Missing),
    # ontologies, datasets
    "ontology: unknown": (lambda c: c.user.get_ontology(NO), Missing),
    "ontology: malformed": (lambda c: c.user.get_ontology(BAD), Wrong),
    "dataset: unknown": (lambda c: c.user.get_dataset(NO), Denied),
    "dataset: malformed": (lambda c: c.user.get_dataset(BAD), Wrong),
    "dataset people: unknown": (lambda c: c.get(f"datasets/{NO}/users"), Denied),
    "dataset people: no address": (lambda c: c.dataset.add_users(["nobody"], DatasetUserRole.USER), Wrong),
    "link: unknown item": (lambda c: c.dataset.link_items([UUID(NO)]), Denied),
    "unlink: unknown unit": (lambda c: c.dataset.delete_data([NO]), Missing),
    "unlink: another dataset's unit": (lambda c: c.dataset.delete_data([w.HASH["image"]]), Missing),
    "rename a unit: unknown": (lambda c: c.dataset.update_data_item(NO, "x"), Missing),
    # tasks
    "tasks: unknown project": (lambda c: c.get(f"projects/{NO}/workflow/stages/{w.AGENT_1}/tasks"), Denied),
    "tasks: unknown stage": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{NO}/tasks"), Missing),
    "tasks: malformed stage": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{BAD}/tasks"), Wrong),
    "tasks: a foreign page token": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks?pageToken=abc"), Wrong),
    "tasks: malformed data hash": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks?dataHashes=abc"), Wrong),
    "proceed: unknown task": (lambda c: act(c, w.AGENT_1, NO, action="PATHWAY_ACTION", pathway_name="complete"), Wrong),
    "proceed: malformed task": (lambda c: act(c, w.AGENT_1, BAD, action="PATHWAY_ACTION", pathway_name="complete"), Wrong),
    "proceed: unknown stage": (lambda c: act(c, NO, c.task.uuid, action="PATHWAY_ACTION", pathway_name="complete"), Missing),
    "proceed: task of another stage": (lambda c: act(c, w.AGENT_2, c.task.uuid, action="PATHWAY_ACTION", pathway_name="complete"), Wrong),
    "proceed: unknown pathway name": (lambda c: c.task.proceed("no such way"), Wrong),
    "proceed: unknown pathway uuid": (lambda c: c.task.proceed(pathway_uuid=NO), Wrong),
    "proceed: no pathway": (lambda c: act(c, w.AGENT_1, c.task.uuid, action="PATHWAY_ACTION"), Wrong),
    "submit at an agent stage": (lambda c: act(c, w.AGENT_1, c.task.uuid, action="SUBMIT"), Wrong),
    "approve at an agent stage": (lambda c: act(c, w.AGENT_1, c.task.uuid, action="APPROVE"), Wrong),
    "assign to nobody": (lambda c: act(c, w.AGENT_1, c.task.uuid, action="ASSIGN"), Wrong),
    "an action that there is not": (lambda c: act(c, w.AGENT_1, c.task.uuid, action="DANCE"), Wrong),
    "move: unknown destination": (lambda c: c.task.move(destination_stage_uuid=UUID(NO)), Wrong),
    "move: unknown task": (lambda c: c.stage.move(origin_stage_uuid=UUID(w.AGENT_1), destination_stage_uuid=UUID(w.ARCHIVE), task_uuids=[UUID(NO)]), Wrong),
    "move: wrong origin": (lambda c: c.stage.move(origin_stage_uuid=UUID(w.REVIEW), destination_stage_uuid=UUID(w.ARCHIVE), task_uuids=[c.task.uuid]), Wrong),
    "priority: unknown unit": (lambda c: c.main._client.workflow_set_priority([(NO, 0.5)]), Wrong),
    "priority: too large": (lambda c: c.main._client.workflow_set_priority([(c.row.data_hash, 1.5)]), Wrong),
    "priority: unknown project": (lambda c: c.user.get_project_client(NO).workflow_set_priority([(c.row.data_hash, 0.5)]), Denied),
    "reviews: at an agent stage": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks/{c.task.uuid}/reviews"), Wrong),
    "reviews: malformed task": (lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{w.REVIEW}/tasks/{BAD}/reviews"), Wrong),
    # label rows
    "rows: unknown project": (lambda c: c.user.get_project_client(NO).list_label_rows(), Denied),
    "rows: malformed hash": (lambda c: c.main._client.list_label_rows(data_hashes=[BAD]), Wrong),
    "rows: no date": (lambda c: c.main._client._querier.get_multiple(type("LabelRowMetadata", (dict,), {}), payload={"edited_before": "yesterday"}), Wrong),
    "create labels: unknown unit": (lambda c: c.main._client.create_label_rows([NO]), Missing),
    "create labels: malformed unit": (lambda c: c.main._client.create_label_rows([BAD]), Wrong),
    "one row: unknown": (lambda c: c.main.get_label_row(NO), Missing),
    "save: unknown row": (lambda c: c.main._client.save_label_rows([NO], [{}]), Missing),
    "save: rows and hashes differ": (lambda c: c.main._client.save_label_rows([NO], []), Wrong),
    "complete: unknown row": (lambda c: c.main._client.workflow_complete([NO]), Missing),
    "validation: unknown row": (lambda c: c.main._client.get_label_validation_errors(NO), Missing),
    "files of an unknown unit": (lambda c: c.main.get_data(NO), Missing),
    "issues: unknown project": (lambda c: c.get(f"projects/{NO}/issues"), Denied),
    "issues: unknown unit": (lambda c: type(c.task.issues)(c.api, UUID(w.MAIN), UUID(NO)).add_file_issue("x", []), Missing),
    # storage
    "item: unknown": (lambda c: c.user.get_storage_item(NO), Denied),
    "item: malformed": (lambda c: c.get(f"storage/items/{BAD}"), Wrong),
    "items: one unknown": (lambda c: c.user.get_storage_items([w.ITEM["image"], NO]), Denied),
    "item summary: unknown": (lambda c: c.get(f"storage/folders/{w.fixed('folder/mixed')}/items/{NO}/summary"), Denied),
    "children: unknown": (lambda c: c.get(f"storage/folders/{w.fixed('folder/mixed')}/items/{NO}/child-items"), Denied),
    "change an item: unknown": (lambda c: setattr(c.item._orm_item, "uuid", UUID(NO)) or c.item.update(name="x"), Denied),
    "folder: unknown": (lambda c: c.user.get_storage_folder(NO), Denied),
    "folder: malformed": (lambda c: c.get(f"storage/folders/{BAD}"), Wrong),
    "folder items: unknown": (lambda c: c.get(f"storage/folders/{NO}/items"), Denied),
    "folder items: a foreign page token": (lambda c: c.get(f"storage/folders/{w.fixed('folder/mixed')}/items?pageToken=abc"), Wrong),
    "make a folder: unknown parent": (lambda c: c.user.create_storage_folder("x", parent_folder=UUID(NO)), Denied),
    "delete items: unknown": (lambda c: c.folder.delete_storage_items([UUID(NO)]), Denied),
    "upload into an unknown folder": (lambda c: c.api.post(f"storage/folders/{NO}/upload-signed-urls", params=None, payload=None, result_type=None), Denied),
    "upload job: unknown": (lambda c: c.get(f"storage/folders/{w.fixed('folder/mixed')}/data-upload-jobs/{NO}"), Missing),
    # the organisation
    "group: unknown": (lambda c: c.user.get_group(NO), Missing),
    "group of an unknown thing": (lambda c: c.get(f"projects/{NO}/groups"), Denied),
    "tag: unknown": (lambda c: c.user.delete_organisation_tag(tag_uuid=NO), Missing),
    "tag a project: unknown tag": (lambda c: c.main.add_organisation_tag(tag_uuid=NO), Missing),
    "collection: unknown": (lambda c: c.user.get_collection(NO), Denied),
    "delete a collection: unknown": (lambda c: c.user.delete_collection(NO), Denied),
    "preset: unknown": (lambda c: c.user.get_filter_preset(NO), Denied),
    "actions: unknown project": (lambda c: list(c.user.get_project_client(NO).get_task_actions(_window())), Denied),
}  # fmt: skip


def _window():
    from encord.orm.analytics import TaskActionParams

    now = datetime.now(timezone.utc)
    return TaskActionParams(project_uuid=UUID(NO), after=now, before=now)


@pytest.mark.parametrize("name", CALLS)
def test_a_mistake_is_the_exception_that_the_sdk_documents(ours, name):
    call, expected = CALLS[name]
    with pytest.raises(expected) as refused:
        call(ours)
    assert type(refused.value) is expected, type(refused.value)
    # The older API and missing things have fixed words in the SDK; all else names the problem.
    assert str(refused.value).strip()


def test_nothing_has_changed(shared):
    """After all refused calls above (whichever ran) the shared world is as the file describes it."""
    main = shared.project(w.MAIN)
    rows = {r.data_title: r for r in main.list_label_rows_v2()}
    assert len(rows) == len(w.HASH) + w.SMALL_COUNT
    assert rows["small_4.jpg"].workflow_graph_node.title == "Review" and rows["small_4.jpg"].priority == 0.9
    assert {d.title for d in main.list_datasets()} == {"Mixed", "Small"}
    assert shared.client().get_storage_item(w.ITEM["image"]).name == "street_1.jpg"
    assert len(shared.client().get_dataset(w.SMALL).data_rows) == w.SMALL_COUNT


#: One call of each family, by whoever has no key here.
FAMILIES = {
    "a project": lambda c: c.user.get_project(w.MAIN),
    "an ontology": lambda c: c.user.get_ontology(w.ONTOLOGY),
    "a dataset": lambda c: c.user.get_dataset(w.SMALL),
    "tasks": lambda c: c.get(f"projects/{w.MAIN}/workflow/stages/{w.AGENT_1}/tasks"),
    "rows": lambda c: c.user.get_project_client(w.MAIN).list_label_rows(),
    "an action": lambda c: act(c, w.AGENT_1, uuid4(), action="PATHWAY_ACTION", pathway_name="complete"),
    "making a project": lambda c: c.user.create_project("x", [w.SMALL]),
    "making an ontology": lambda c: c.user.create_ontology("x"),
    "making a folder": lambda c: c.user.create_storage_folder("x"),
    "people": lambda c: c.user.get_project_client(w.MAIN).add_users(["a@b.c"], ProjectUserRole.VIEWER),
    "an upload URL": lambda c: c.get("presigned-urls?count=1&uploadItemType=image"),
    "a bearer token": lambda c: c.user.get_bearer_token(),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unregistered_key_is_refused_everywhere(shared, stranger_key, family):
    with pytest.raises(AuthenticationError, match="domain|region"):
        FAMILIES[family](clients(shared, stranger_key))
