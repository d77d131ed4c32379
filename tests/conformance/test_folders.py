"""Storage folders: a tree of them, what lies in them, and what happens to items as a whole."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from encord.exceptions import AuthorisationError, InvalidArgumentsError
from encord.orm.dataset import StorageLocation
from encord.orm.storage import DataGroupCustom, DataGroupGrid, FoldersSortBy, StorageItemType

import world as w
from test_from_nothing import picture


@pytest.fixture
def top(workshop):
    return workshop.client().create_storage_folder(f"top {uuid4()}", "a case's", {"owner": "case"})


def test_a_folder_is_made_below_another_and_knows_the_way_up(workshop, top):
    below = top.create_subfolder("below", "deeper", {"depth": 2})
    again = workshop.client().get_storage_folder(below.uuid)
    assert (again.name, again.description, again.client_metadata) == ("below", "deeper", {"depth": 2})
    assert again.parent_uuid == top.uuid and again.parent.name == top.name
    assert [p.uuid for p in again.path_to_root] == [top.uuid]
    assert workshop.client().get_storage_folder(top.uuid).client_metadata == {"owner": "case"}


def test_subfolders_are_listed_flat_and_found_deep(workshop, top):
    a = top.create_subfolder("a")
    top.create_subfolder("b")
    a.create_subfolder("c")
    assert [f.name for f in top.list_subfolders()] == ["a", "b"]
    assert [f.name for f in top.list_subfolders(desc=True)] == ["b", "a"]
    assert {f.name for f in top.find_subfolders()} == {"a", "b", "c"}
    assert [f.name for f in top.find_subfolders(search="C")] == ["c"]


def test_top_folders_are_listed_page_by_page_and_by_kind(workshop, top):
    client = workshop.client()
    found = [(f.uuid, f.name) for f in client.list_storage_folders(page_size=2)]
    names = [name for _, name in found]
    assert top.name in names and "Mixed" in names and len(found) == len(set(found))
    assert names == sorted(names)
    mirrors = {f.name for f in client.list_storage_folders(dataset_synced=True)}
    assert "Mixed" in mirrors and top.name not in mirrors
    by_age = [f.name for f in client.find_storage_folders(order=FoldersSortBy.CREATED_AT)]
    assert by_age.index("Mixed") < by_age.index(top.name)


def test_a_folder_is_changed_alone_and_in_a_bundle(workshop, top):
    from encord.http.bundle import Bundle

    top.update(name="renamed", client_metadata={"new": True})
    folders = [top.create_subfolder(n) for n in "xy"]
    with Bundle() as bundle:
        for folder in folders:
            folder.update(description=f"{folder.name} bundled", bundle=bundle)
    again = workshop.client().get_storage_folder(top.uuid)
    assert (again.name, again.client_metadata) == ("renamed", {"new": True})
    assert {f.description for f in again.list_subfolders()} == {"x bundled", "y bundled"}


def test_a_folder_moves_but_not_into_itself(workshop, top):
    a, b = top.create_subfolder("a"), top.create_subfolder("b")
    b.move_to_folder(a)
    assert b.parent_uuid == a.uuid
    with pytest.raises(InvalidArgumentsError, match="itself"):
        a.move_to_folder(b)
    b.move_to_folder(None)
    assert workshop.client().get_storage_folder(b.uuid).parent_uuid is None


def test_only_an_empty_folder_is_deleted(workshop, top, tmp_path):
    below = top.create_subfolder("below")
    item = below.upload_image(picture(tmp_path / "a.png"))
    with pytest.raises(InvalidArgumentsError, match="1 items"):
        below.delete()
    below.delete_storage_items([item])
    below.delete()
    with pytest.raises(AuthorisationError):
        workshop.client().get_storage_folder(below.uuid)
    with pytest.raises(InvalidArgumentsError, match="dataset"):
        workshop.client().get_storage_folder(w.fixed("folder/mixed")).delete()


def test_items_are_listed_by_name_or_age_and_from_a_whole_tree(workshop, top, tmp_path):
    below = top.create_subfolder("below")
    for name in ("b.png", "c.png", "a.png"):
        top.upload_image(picture(tmp_path / name))
    below.upload_image(picture(tmp_path / "d.png"))
    names = lambda **query: [i.name for i in top.list_items(**query)]  # noqa: E731
    assert names() == ["a.png", "b.png", "c.png"]
    assert names(desc=True, page_size=1) == ["c.png", "b.png", "a.png"]
    assert names(order=FoldersSortBy.CREATED_AT) == ["b.png", "c.png", "a.png"]
    assert names(is_in_dataset=True) == []
    assert [i.name for i in top.find_items(search=".png", is_in_dataset=False)] == ["a.png", "b.png", "c.png", "d.png"]


def test_a_summary_counts_what_a_folder_holds(workshop, top, tmp_path):
    mixed = workshop.client().get_storage_folder(w.fixed("folder/mixed")).get_summary()
    assert (mixed.files, mixed.images, mixed.videos, mixed.audios) == (len(w.HASH), 2, 1, 2)
    assert (mixed.image_groups, mixed.image_sequences, mixed.plain_texts, mixed.pdfs) == (1, 1, 2, 1)
    top.create_subfolder("below")
    path = picture(tmp_path / "a.png")
    top.upload_image(path)
    own = top.get_summary()
    assert (own.files, own.folders, own.images, own.total_size) == (1, 1, 1, path.stat().st_size)


def test_an_items_summary_names_datasets_and_groups(workshop):
    item = workshop.client().get_storage_item(w.ITEM["image"])
    made = workshop.client().create_dataset("Uses it too", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    workshop.client().get_dataset(made.dataset_hash).link_items([item.uuid])
    summary = item.get_summary()
    assert {"Mixed", "Uses it too"} <= {d.title for d in summary.accessible_datasets}
    assert UUID(w.HASH["image"]) in {h for d in summary.accessible_datasets for h in d.data_hashes}
    group = workshop.client().get_storage_item(w.ITEM["group"]).get_summary()
    assert len(group.data_group.layout_contents) == len(w.GROUP_CHILDREN)
    assert workshop.client().get_storage_item(w.ITEM["image"]).backed_data_units_count >= 2


def test_items_move_to_another_folder_together_or_not_at_all(workshop, top, tmp_path):
    there = top.create_subfolder("there")
    items = [top.upload_image(picture(tmp_path / f"{n}.png")) for n in range(2)]
    with pytest.raises(InvalidArgumentsError, match="Nothing of this request"):
        top.move_items_to_folder(there, [*items, UUID(w.ITEM["image"])])
    assert not list(there.list_items(item_types=list(StorageItemType)))
    top.move_items_to_folder(there, items)
    assert [i.uuid for i in there.list_items(item_types=[StorageItemType.IMAGE])] == items
    moved = workshop.client().get_storage_item(items[0])
    moved.move_to_folder(top.uuid)
    assert moved.parent_folder_uuid == top.uuid


def test_moving_out_of_a_datasets_folder_needs_to_be_allowed(workshop, top, tmp_path):
    made = workshop.client().create_dataset("Mirror", StorageLocation.CORD_STORAGE)
    mirror = workshop.client().get_storage_folder(made.backing_folder_uuid)
    item = mirror.upload_image(picture(tmp_path / "m.png"))
    assert len(workshop.client().get_dataset(made.dataset_hash).data_rows) == 1
    with pytest.raises(InvalidArgumentsError, match="allow_mirror_dataset_changes"):
        mirror.move_items_to_folder(top, [item])
    mirror.move_items_to_folder(top, [item], allow_mirror_dataset_changes=True)
    assert not workshop.client().get_dataset(made.dataset_hash).data_rows
    top.move_items_to_folder(mirror, [item], allow_mirror_dataset_changes=True)
    assert [r.title for r in workshop.client().get_dataset(made.dataset_hash).data_rows] == ["m.png"]


def test_an_item_that_something_uses_is_not_deleted(workshop, top, tmp_path):
    item = top.upload_image(picture(tmp_path / "used.png"))
    made = workshop.client().create_dataset("User", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    dataset = workshop.client().get_dataset(made.dataset_hash)
    (row,) = dataset.link_items([item])
    with pytest.raises(InvalidArgumentsError, match="used by 1"):
        workshop.client().get_storage_item(item).delete()
    dataset.delete_data(row.uid)
    workshop.client().get_storage_item(item).delete()
    with pytest.raises(AuthorisationError):
        workshop.client().get_storage_item(item)


def test_data_groups_are_made_of_items_and_labelled_as_one_task(workshop, top, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("a note")
    parts = [top.upload_image(picture(tmp_path / "part.png")), top.upload_text(note)]
    grid, custom = top.create_data_groups(
        [DataGroupGrid(layout_contents=parts, name="grid", client_metadata={"kind": "pair"}),
         DataGroupCustom(layout_contents={"left": parts[0], "right": parts[1]}, name="custom", layout={"type": "x"})]
    )
    item = workshop.client().get_storage_item(grid)
    assert (item.item_type, item.name, item.client_metadata) == (StorageItemType.GROUP, "grid", {"kind": "pair"})
    assert [c.uuid for c in item.get_child_items()] == parts
    made = workshop.client().create_dataset("Groups", StorageLocation.CORD_STORAGE, create_backing_folder=False)
    workshop.client().get_dataset(made.dataset_hash).link_items([grid, custom])
    assert {r.title for r in workshop.client().get_dataset(made.dataset_hash).data_rows} == {"grid", "custom"}
    with pytest.raises(InvalidArgumentsError):
        top.create_data_group([])
    with pytest.raises(InvalidArgumentsError, match="cannot be part"):
        top.create_data_group([grid])
