"""People, groups, tags, collections, presets, schemas, status: what a script sets up around its work."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from encord.exceptions import AuthorisationError, InvalidArgumentsError, ResourceExistsError, ResourceNotFoundError
from encord.metadata_schema import MetadataSchema
from encord.orm.project import ProjectStatus
from encord.utilities.ontology_user import OntologyUserRole
from encord.utilities.project_user import ProjectUserRole

import world as w


@pytest.mark.parametrize("status", [s for s in ProjectStatus if s != ProjectStatus.UNKNOWN])
def test_a_projects_status_is_set_and_seen_by_others(shared, make_project, status):
    project = make_project()
    assert project.status == ProjectStatus.IN_PROGRESS
    project.set_status(status)
    assert shared.project(project.project_hash).status == status
    assert {p.status for p in shared.client().list_projects() if p.project_hash == project.project_hash} == {status}


def test_an_unknown_status_is_refused(make_project):
    with pytest.raises(InvalidArgumentsError, match="inProgress"):
        make_project().set_status(ProjectStatus.UNKNOWN)


def test_people_are_added_to_a_project_with_a_role_changed_and_removed(shared, make_project):
    project = make_project()
    emails = ["one@example.test", "two@example.test"]
    added = project.add_users(emails, ProjectUserRole.ANNOTATOR)
    assert [(u.user_email, u.user_role) for u in added] == [(e, ProjectUserRole.ANNOTATOR) for e in emails]
    project.add_users(emails[:1], ProjectUserRole.REVIEWER)
    roles = {u.user_email: u.user_role for u in shared.project(project.project_hash).list_users()}
    assert (roles[emails[0]], roles[emails[1]]) == (ProjectUserRole.REVIEWER, ProjectUserRole.ANNOTATOR)
    assert roles[project.creator_email] == ProjectUserRole.ADMIN
    project.remove_users(emails[:1])
    left = {u.user_email for u in shared.project(project.project_hash).list_users()}
    assert emails[0] not in left and emails[1] in left


def test_whoever_has_a_key_cannot_be_removed_and_nonsense_cannot_be_added(make_project):
    project = make_project()
    with pytest.raises(InvalidArgumentsError, match="key"):
        project.remove_users([project.creator_email])
    with pytest.raises(InvalidArgumentsError, match="address"):
        project.add_users(["nobody"], ProjectUserRole.ANNOTATOR)


def test_people_of_one_project_are_not_those_of_another(shared, make_project):
    one, two = make_project(), make_project()
    one.add_users(["only.one@example.test"], ProjectUserRole.VIEWER)
    assert "only.one@example.test" not in {u.user_email for u in two.list_users()}


def test_people_come_to_the_organisation_and_leave_it(shared):
    client, email = shared.client(), f"{uuid4()}@example.test"
    client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="external")
    (person,) = [u for u in shared.client().list_organisation_users() if u.email == email]
    assert (person.role_mnemonic_name, person.member_type) == ("MEMBER", "external")
    with pytest.raises(ResourceExistsError):
        client.add_organisation_user(email, role_mnemonic_name="MEMBER", member_type="external")
    client.remove_organisation_user(email)
    assert email not in {u.email for u in shared.client().list_organisation_users()}
    with pytest.raises(ResourceNotFoundError):
        client.remove_organisation_user(email)


def test_a_group_has_people_and_may_use_a_project(shared, make_project):
    client, project = shared.client(), make_project()
    group = client.create_group("Night shift", "works late")
    member = f"{uuid4()}@example.test"
    with pytest.raises(AuthorisationError):
        group.add_users([member])
    client.add_organisation_user(member, role_mnemonic_name="MEMBER", member_type="internal")
    assert member in {u.user_email for u in group.add_users([member])}
    group.update_group(name="Day shift")
    again = shared.client().get_group(group.group_hash)
    assert (again.name, again.description) == ("Day shift", "works late")
    again.remove_users([member])
    assert member not in {u.user_email for u in group.list_users()}
    project.add_group(group.group_hash, ProjectUserRole.REVIEWER)
    (used,) = shared.project(project.project_hash).list_groups()
    assert (used.name, used.user_role) == ("Day shift", ProjectUserRole.REVIEWER)
    project.remove_group(group.group_hash)
    assert not list(project.list_groups())
    shared.client().get_ontology(w.ONTOLOGY).add_group(group.group_hash, OntologyUserRole.USER)
    client.delete_group(group.group_hash)
    assert not list(shared.client().get_ontology(w.ONTOLOGY).list_groups())
    with pytest.raises(ResourceNotFoundError):
        client.get_group(group.group_hash)


def test_projects_are_found_by_their_tags(shared, make_project):
    client, project, other = shared.client(), make_project(), make_project()
    name = f"tag {uuid4()}"
    tag = client.create_organisation_tag(name, "for a case")
    with pytest.raises(ResourceExistsError):
        client.create_organisation_tag(name)
    project.add_organisation_tag(tag)
    assert [t.name for t in shared.project(project.project_hash).get_organisation_tags()] == [name]
    assert [p.project_hash for p in shared.client().list_projects(tags_anyof=[name])] == [project.project_hash]
    assert not list(other.get_organisation_tags())
    project.remove_organisation_tag(tag_name=name)
    assert not shared.project(project.project_hash).get_organisation_tags()
    client.delete_organisation_tag(tag)
    assert name not in {t.name for t in shared.client().list_organisation_tags()}
    with pytest.raises(ResourceNotFoundError):
        client.delete_organisation_tag(tag)


def test_a_collection_holds_items_by_id_and_title(shared):
    client = shared.client()
    made = client.create_collection(w.fixed("folder/mixed"), "Picked", "by hand")
    unknown = uuid4()
    answer = made.add_items([UUID(w.ITEM["image"]), UUID(w.ITEM["video"]), unknown])
    assert answer.failed_items == [unknown]
    titles = made.add_items_by_title(["beep.wav", "no such title"])
    assert (titles.matched_titles, titles.items_added, titles.unmatched_titles) == (1, 1, ["no such title"])
    again = shared.client().get_collection(made.uuid)
    assert {i.name for i in again.list_items()} == {"street_1.jpg", "meadow.mp4", "beep.wav"}
    assert {i.name for i in again.list_items(page_size=1)} == {i.name for i in again.list_items()}
    again.remove_items([w.ITEM["video"]])
    assert {i.name for i in made.list_items()} == {"street_1.jpg", "beep.wav"}
    again.update_collection(name="Picked again")
    listed = {c.uuid: c.name for c in shared.client().list_collections(w.fixed("folder/mixed"))}
    assert listed[made.uuid] == "Picked again"
    client.delete_collection(made.uuid)
    with pytest.raises(AuthorisationError):
        client.get_collection(made.uuid)


def test_a_preset_is_kept_as_it_came(shared):
    client = shared.client()
    filters = {"global_filters": {"filters": [{"key": "width", "min": 10}]}, "local_filters": {}}
    made = client.create_preset("Wide", filters, "more than ten")
    again = shared.client().get_filter_preset(made.uuid)
    assert (again.name, again.description) == ("Wide", "more than ten")
    assert again.get_filter_preset_json().global_filters.filters == [{"key": "width", "min": 10}]
    again.update_preset(name="Wider")
    assert made.uuid in {p.uuid for p in shared.client().list_presets() if p.name == "Wider"}
    client.delete_preset(made.uuid)
    with pytest.raises(AuthorisationError):
        client.get_filter_preset(made.uuid)


def test_the_metadata_schema_is_kept(shared):
    schema = shared.client().metadata_schema()
    assert isinstance(schema, MetadataSchema)
    schema.add_scalar("lux", data_type="number")
    schema.add_enum("light", values=["day", "night"])
    schema.save()
    again = shared.client().metadata_schema()
    assert again.get_key_type("lux") == "number"
    assert sorted(again.keys()) == ["light", "lux"]
