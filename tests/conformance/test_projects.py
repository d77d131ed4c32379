"""Projects, ontologies, workflows, datasets; projects made on demand and deleted again."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from encord.constants.enums import DataType
from encord.exceptions import AuthorisationError
from encord.objects import Classification, Object
from encord.objects.common import Shape
from encord.orm.workflow import WorkflowStageType
from encord.utilities.project_user import ProjectUserRole
from encord.orm.dataset import DatasetAccessSettings

import world as w
from conftest import delete_project


def test_a_project_has_the_id_title_and_description_of_the_scenario_file(main):
    assert (main.project_hash, main.title, main.description) == (w.MAIN, "Main project", "read only")
    assert main.project_type.value == "workflow"
    assert main.ontology_hash == w.ONTOLOGY
    assert main.created_at <= main.last_edited_at


def test_every_shape_of_the_ontology_is_read(main):
    shapes = {o.name: o.shape for o in main.ontology_structure.objects}
    assert shapes == {name: Shape(shape) for name, shape in w.SHAPES.items()}


def test_features_are_found_by_title_at_any_depth(main):
    structure = main.ontology_structure
    vehicle = structure.get_child_by_title("Vehicle", Object)
    assert vehicle.get_child_by_title("Shade").feature_node_hash == "VehShade"
    assert structure.get_child_by_title("Weather", Classification).feature_node_hash == "ClsWeath"
    assert structure.get_child_by_title("How much").feature_node_hash == "WeathHow"
    assert vehicle.get_child_by_title("Speed").dynamic


def test_the_ontology_can_be_fetched_by_id(shared):
    ontology = shared.client().get_ontology(w.ONTOLOGY)
    assert (ontology.ontology_hash, ontology.title) == (w.ONTOLOGY, "Every shape")
    assert len(ontology.structure.objects) == len(w.SHAPES)
    assert [t.name for t in ontology.structure.skeleton_templates.values()] == ["Pose"]


def test_the_workflow_has_its_stages_in_order_with_their_ids(main):
    kinds = [(UUID(n["uuid"]), n["title"], n["nodeType"]) for n in w.workflow()[1:]]
    assert [(s.uuid, s.title, s.stage_type.value) for s in main.workflow.stages] == kinds


def test_pathways_have_name_id_and_destination(main):
    stage = main.workflow.get_stage(name="Agent 1", type_=None)
    known = {p.name: (str(p.uuid), str(p.destination_uuid)) for p in stage.pathways}
    assert known["complete"] == (w.WAY["complete"], w.COMPLETE)
    assert known["second"] == (w.WAY["second"], w.AGENT_2)
    assert list(known) == ["complete", "second", "annotate", "archive"]


def test_a_stage_is_found_by_uuid_and_an_unknown_one_is_not(main):
    assert main.workflow.get_stage(uuid=w.REVIEW).stage_type == WorkflowStageType.REVIEW
    with pytest.raises(ValueError):
        main.workflow.get_stage(uuid=uuid4())


def test_routers_are_not_stages(make_project):
    project = make_project(template=w.ROUTED)
    assert [s.title for s in project.workflow.stages] == ["Split", "Left", "Right"]


def test_tasks_behind_a_router_come_to_rest_in_a_stage(shared, make_project):
    project = make_project(template=w.ROUTED)
    stage = project.workflow.get_stage(name="Split")
    with project.create_bundle() as bundle:
        for task in stage.get_tasks():
            task.proceed(pathway_name="on", bundle=bundle)
    again = shared.project(project.project_hash)
    left, right = (list(again.workflow.get_stage(name=n).get_tasks()) for n in ("Left", "Right"))
    assert len(left) + len(right) == w.SMALL_COUNT
    assert not list(again.workflow.get_stage(name="Split").get_tasks())


def test_the_datasets_of_a_project_are_listed(main):
    found = {str(d.dataset_hash): d.title for d in main.list_datasets()}
    assert found == {w.MIXED: "Mixed", w.SMALL: "Small"}


def test_a_dataset_has_a_row_for_each_item(shared):
    dataset = shared.client().get_dataset(w.MIXED)
    rows = {row.uid: row for row in dataset.data_rows}
    assert set(rows) == set(w.HASH.values())
    assert str(rows[w.HASH["video"]].backing_item_uuid) == w.ITEM["video"]
    assert rows[w.HASH["video"]].duration == 2.96
    assert rows[w.HASH["image"]].width == 512


def test_data_rows_are_filtered_by_title_type_and_hash(shared):
    dataset = shared.client().get_dataset(w.MIXED, dataset_access_settings=DatasetAccessSettings(False, False))
    titles = lambda **query: sorted(r.title for r in dataset.list_data_rows(**query))  # noqa: E731
    assert titles(title_eq="note.txt") == ["note.txt"]
    assert titles(title_like="%e%.jpg") == sorted(["street_1.jpg", "Night Übergang 100%_&+.jpg"])
    assert titles(data_hashes=[w.HASH["pdf"], w.HASH["wav"]]) == ["beep.wav", "form.pdf"]
    assert titles(data_types=[DataType.VIDEO]) == ["meadow.mp4"]


def test_data_rows_carry_client_metadata_when_asked_for(shared):
    settings = DatasetAccessSettings(fetch_client_metadata=True)
    rows = {r.uid: r for r in shared.client().get_dataset(w.SMALL, dataset_access_settings=settings).data_rows}
    assert rows[str(w.small_hash(3))].client_metadata == {"site": "cam2", "order": 3}


def test_projects_are_listed_and_filtered_by_title(shared, make_project):
    own = make_project(title="Searched for")
    client = shared.client()
    assert {w.MAIN, w.TWIN, own.project_hash} <= {p.project_hash for p in client.list_projects()}
    assert [p.project_hash for p in client.list_projects(title_eq="Searched for")] == [own.project_hash]
    assert {p.project_hash for p in client.list_projects(title_like="%project")} >= {w.MAIN, w.TWIN}
    assert not list(client.list_projects(title_eq="no such title"))


def test_a_made_project_has_a_task_per_item_at_the_first_stage(shared, make_project):
    project = make_project(w.MIXED, w.SMALL)
    again = shared.project(project.project_hash)
    waiting = {str(t.data_hash) for t in again.workflow.get_stage(name="Agent 1").get_tasks()}
    assert waiting == set(w.HASH.values()) | {str(w.small_hash(n)) for n in range(w.SMALL_COUNT)}
    assert not any(list(s.get_tasks()) for s in again.workflow.stages[1:])


def test_a_made_project_has_the_templates_own_stages_and_pathways(make_project):
    stage = make_project().workflow.get_stage(uuid=w.AGENT_1)
    assert {str(p.uuid) for p in stage.pathways} == {w.WAY[n] for n in ("complete", "second", "annotate", "archive")}


def test_two_projects_on_one_dataset_share_data_but_not_tasks_labels_or_priorities(shared, make_project):
    one, two = make_project(), make_project()
    first = one.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    first.initialise_labels()
    first.set_priority(0.25)
    next(iter(one.workflow.get_stage(name="Agent 1").get_tasks(data_hash=w.small_hash(0)))).proceed("archive")
    other = shared.project(two.project_hash).list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    assert other.backing_item_uuid == first.backing_item_uuid
    assert (other.label_hash, other.priority, other.workflow_graph_node.title) == (None, 0.5, "Agent 1")
    assert other.task_uuid != first.task_uuid


def test_a_deleted_project_is_gone_for_everybody(shared, make_project):
    client = shared.client()
    project_hash = client.create_project(
        "Short-lived", [w.SMALL], ontology_hash=w.ONTOLOGY, workflow_template_hash=w.TEMPLATE
    )
    delete_project(shared, project_hash)
    with pytest.raises(AuthorisationError):
        shared.client().get_project(project_hash)
    assert project_hash not in {p.project_hash for p in shared.client().list_projects()}
    assert shared.project(w.MAIN).title == "Main project"


def test_an_unknown_project_is_refused_with_a_reason(shared):
    with pytest.raises(AuthorisationError) as refused:
        shared.client().get_project(uuid4())
    assert str(refused.value).strip()


def test_the_twin_is_a_project_of_its_own_on_the_same_data(shared, main):
    twin = shared.project(w.TWIN)
    assert shared.twin_project_hash == w.TWIN
    items = {r.data_hash: r.backing_item_uuid for r in main.list_label_rows_v2()}
    for row in twin.list_label_rows_v2():
        assert items[row.data_hash] == row.backing_item_uuid


def test_tasks_are_where_the_scenario_file_puts_them(main):
    rows = {r.data_title: r for r in main.list_label_rows_v2()}
    assert rows["small_4.jpg"].workflow_graph_node.title == "Review"
    assert rows["small_4.jpg"].priority == 0.9
    assert rows["small_5.jpg"].workflow_graph_node.title == "Complete"


def test_the_users_of_a_project_are_listed_with_their_roles(shared, main):
    users = {u.user_email: u.user_role for u in main.list_users()}
    assert users[w.SECOND_USER] is not None
    assert users[main.creator_email] == ProjectUserRole.ADMIN


def test_the_older_project_call_lists_the_label_rows(shared, make_project):
    project = make_project()
    made = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    made.initialise_labels()
    old = shared.project(project.project_hash).get_project()
    assert (old.project_hash, old.title) == (project.project_hash, "A case's own")
    assert {r["data_hash"]: r["label_hash"] for r in old.label_rows}[made.data_hash] == made.label_hash


def test_the_older_row_list_gives_what_has_labels(shared, make_project):
    project = make_project()
    assert not project.list_label_rows()
    made = project.list_label_rows_v2(data_hashes=[w.small_hash(0)])[0]
    made.initialise_labels()
    assert [r.label_hash for r in shared.project(project.project_hash).list_label_rows()] == [made.label_hash]


def test_a_project_is_read_again(shared, make_project):
    project = make_project()
    before = len(project.list_label_rows_v2())
    project.refetch_data()
    project.refetch_ontology()
    assert len(project.list_label_rows_v2()) == before


def test_ontologies_are_listed_and_found_by_title(shared):
    client = shared.client()
    assert w.ONTOLOGY in {o["ontology"].ontology_hash for o in client.get_ontologies()}
    assert [o["ontology"].ontology_hash for o in client.get_ontologies(title_eq="Every shape")] == [w.ONTOLOGY]
    assert not client.get_ontologies(title_eq="no such ontology")


def test_datasets_are_listed_and_found_by_title(shared):
    client = shared.client()
    titles = {d["dataset"].title for d in client.get_datasets()}
    assert {"Mixed", "Pictures", "Small"} <= titles
    assert [d["dataset"].title for d in client.get_datasets(title_eq="Small")] == ["Small"]


def test_a_project_without_a_named_workflow_or_ontology_can_be_made(shared):
    client = shared.client()
    project_hash = client.create_project("plain", [w.SMALL])
    try:
        project = shared.project(project_hash)
        assert project.workflow.stages and len(project.list_label_rows_v2()) == w.SMALL_COUNT
    finally:
        delete_project(shared, project_hash)
