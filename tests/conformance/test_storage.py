"""Storage items: single and in bulk, children, metadata, signed URLs with ranges and expiry."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
import requests
from encord.exceptions import AuthorisationError
from encord.http.bundle import Bundle
from encord.orm.storage import StorageItemType

import world as w

SIGNATURES = {
    "image": b"\xff\xd8\xff",
    "wav": b"RIFF",
    "pdf": b"%PDF-",
    "video": b"ftyp",
    "imageSequence": b"ftyp",
}


def item(server, kind: str, sign: bool = False):
    return server.client().get_storage_item(w.ITEM[kind], sign_url=sign)


def scratches(server, *numbers: int):
    """Items that the metadata cases may change, by one fresh client (a bundle is one client's)."""
    client = server.client()
    rows = {r.title: r for r in client.get_dataset(w.SCRATCH).data_rows}
    return client.get_storage_items([rows[f"scratch_{n}.jpg"].backing_item_uuid for n in numbers])


def scratch(server, n: int):
    return scratches(server, n)[0]


@pytest.mark.parametrize(
    ("kind", "item_type"),
    [
        ("image", StorageItemType.IMAGE),
        ("video", StorageItemType.VIDEO),
        ("imageGroup", StorageItemType.IMAGE_GROUP),
        ("imageSequence", StorageItemType.IMAGE_SEQUENCE),
        ("wav", StorageItemType.AUDIO),
        ("plainText", StorageItemType.PLAIN_TEXT),
        ("pdf", StorageItemType.PDF),
        ("group", StorageItemType.GROUP),
    ],
)
def test_an_item_has_its_type_name_and_folder(shared, kind, item_type):
    found = item(shared, kind)
    assert (found.item_type, found.uuid) == (item_type, UUID(w.ITEM[kind]))
    assert str(found.parent_folder_uuid) == w.fixed("folder/mixed")
    assert found.name


def test_an_item_has_the_measures_of_its_medium(shared):
    video, image, wav = item(shared, "video"), item(shared, "image"), item(shared, "wav")
    assert (video.width, video.height, video.fps, video.duration, video.frame_count) == (320, 180, 25.0, 2.96, 74)
    assert (image.width, image.height, image.mime_type) == (512, 512, "image/jpeg")
    assert (wav.mime_type, wav.audio_num_channels) == ("audio/wav", 1)
    assert image.created_at <= image.last_edited_at


def test_items_come_in_the_order_asked_for(shared):
    kinds = ["pdf", "image", "video", "wav", "plainText"]
    found = shared.client().get_storage_items([w.ITEM[k] for k in kinds])
    assert [str(i.uuid) for i in found] == [w.ITEM[k] for k in kinds]


def test_items_in_bulk_are_one_request_and_signed(shared):
    before = shared.requests_to("get_items")
    found = shared.client().get_storage_items([w.ITEM["image"], w.ITEM["pdf"]], sign_url=True)
    for one in found:
        assert requests.get(one.get_signed_url(), timeout=30).ok
    assert shared.requests_to("get_items") == before + 1


def test_an_unknown_item_refuses_single_and_bulk(shared):
    client = shared.client()
    with pytest.raises(AuthorisationError):
        client.get_storage_item(uuid4())
    with pytest.raises(AuthorisationError):
        client.get_storage_items([w.ITEM["image"], uuid4()])


def test_the_children_of_an_image_group_come_in_order(shared):
    children = list(item(shared, "imageGroup").get_child_items())
    assert [c.name for c in children] == [f"view_{n}.jpg" for n in range(3)]
    assert all(c.item_type == StorageItemType.IMAGE for c in children)


def test_the_children_of_a_group_are_of_any_type(shared):
    children = {c.name: c.item_type for c in item(shared, "group").get_child_items()}
    assert children == {"group_picture.jpg": StorageItemType.IMAGE, "group_note.txt": StorageItemType.PLAIN_TEXT}


def test_children_are_signed_when_wanted(shared):
    for child in item(shared, "imageGroup").get_child_items(get_signed_urls=True):
        assert requests.get(child.get_signed_url(), timeout=30).content.startswith(SIGNATURES["image"])


@pytest.mark.parametrize("kind", SIGNATURES)
def test_a_signed_url_gives_the_medium_whole_without_any_header(shared, kind):
    found = item(shared, kind, sign=True)
    answer = requests.get(found.get_signed_url(), headers={"User-Agent": "", "Accept": None}, timeout=30)
    assert answer.status_code == 200
    assert SIGNATURES[kind] in answer.content[:16]
    assert len(answer.content) == found.file_size == int(answer.headers["Content-Length"])
    assert answer.headers["Content-Type"] == found.mime_type


def test_a_url_is_signed_on_demand(shared):
    lazy = item(shared, "plainText")
    assert requests.get(lazy.get_signed_url(), timeout=30).text.strip()


def test_a_signed_url_honours_ranges(shared):
    url = item(shared, "video", sign=True).get_signed_url()
    whole = requests.get(url, timeout=30).content
    for ask, wanted in (
        ("bytes=0-9", whole[:10]),
        ("bytes=100-", whole[100:]),
        ("bytes=-7", whole[-7:]),
        (f"bytes=10-{len(whole) * 2}", whole[10:]),
    ):
        answer = requests.get(url, headers={"Range": ask}, timeout=30)
        assert (answer.status_code, answer.content) == (206, wanted), ask
        assert answer.headers["Content-Range"].endswith(f"/{len(whole)}")
    assert requests.get(url, headers={"Range": f"bytes={len(whole)}-"}, timeout=30).status_code == 416


def test_a_changed_signed_url_is_refused(shared):
    url = item(shared, "image", sign=True).get_signed_url()
    assert requests.get(url[:-3] + "000", timeout=30).status_code == 403
    assert requests.get(url.split("?")[0], timeout=30).status_code == 403
    other = url.replace(w.ITEM["image"], w.ITEM["pdf"])
    assert requests.get(other, timeout=30).status_code == 403


def test_an_expired_signed_url_is_refused(faulty):
    faulty.faults("get_items:expire")
    url = faulty.client().get_storage_item(w.ITEM["image"], sign_url=True).get_signed_url()
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 403 and "expired" in answer.text
    faulty.faults()
    again = faulty.client().get_storage_item(w.ITEM["image"], sign_url=True).get_signed_url()
    assert requests.get(again, timeout=30).ok


def test_the_keys_of_a_signed_url_do_not_reach_the_servers_output(shared):
    url = item(shared, "image", sign=True).get_signed_url()
    assert url.split("?")[1] not in shared.log.read_text()


def test_metadata_is_replaced_and_read_back(shared):
    one = scratch(shared, 0)
    one.update(client_metadata={"a": 1, "nested": {"b": [1, 2.5, None, "ü"]}, "flag": True})
    assert scratch(shared, 0).client_metadata == {"a": 1, "nested": {"b": [1, 2.5, None, "ü"]}, "flag": True}
    one.update(client_metadata={"only": "this"})
    assert scratch(shared, 0).client_metadata == {"only": "this"}
    one.update(client_metadata={})
    assert not scratch(shared, 0).client_metadata


def test_name_and_description_are_changed_without_touching_metadata(shared):
    one = scratch(shared, 1)
    one.update(client_metadata={"keep": "me"})
    one.update(description="a note")
    again = scratch(shared, 1)
    assert (again.description, again.client_metadata, again.name) == ("a note", {"keep": "me"}, "scratch_1.jpg")


def test_metadata_of_several_items_are_changed_in_one_request(shared):
    items = scratches(shared, 2, 3, 4, 5)
    before = shared.requests_to("patch_items")
    with Bundle() as bundle:
        for n, one in enumerate(items):
            one.update(client_metadata={"n": n}, bundle=bundle)
    assert shared.requests_to("patch_items") == before + 1
    assert [scratch(shared, n).client_metadata for n in range(2, 6)] == [{"n": n} for n in range(4)]


def test_changed_metadata_are_seen_in_label_rows_of_every_project(shared, make_project):
    scratch(shared, 6).update(client_metadata={"seen": "everywhere"})
    for project in (make_project(w.SCRATCH), make_project(w.SCRATCH)):
        rows = {r.data_title: r for r in project.list_label_rows_v2(include_client_metadata=True)}
        assert rows["scratch_6.jpg"].client_metadata == {"seen": "everywhere"}


def test_one_unknown_item_refuses_a_bulk_change_whole(shared):
    one, ghost = scratches(shared, 7, 6)
    one.update(client_metadata={"before": True})
    ghost._orm_item.uuid = uuid4()
    with pytest.raises(AuthorisationError):
        with Bundle() as bundle:
            one.update(client_metadata={"before": False}, bundle=bundle)
            ghost.update(client_metadata={}, bundle=bundle)
    assert scratch(shared, 7).client_metadata == {"before": True}


def test_a_folder_lists_and_searches_its_items(shared):
    folder = shared.client().get_storage_folder(w.fixed("folder/mixed"))
    names = {i.name for i in folder.list_items()}
    assert {"street_1.jpg", "meadow.mp4", "three views"} <= names
    assert [i.name for i in folder.list_items(search="meadow")] == ["meadow.mp4"]


def test_a_label_row_leads_to_its_storage_item(main):
    row = main.list_label_rows_v2(data_hashes=[w.HASH["video"]])[0]
    assert str(row.get_storage_item().uuid) == w.ITEM["video"]


def test_items_are_found_everywhere_by_text_and_type(shared):
    client = shared.client()
    assert [i.name for i in client.find_storage_items(search="meadow")] == ["meadow.mp4"]
    found = client.find_storage_items(item_types=[StorageItemType.VIDEO, StorageItemType.PDF])
    assert sorted(i.name for i in found) == ["form.pdf", "meadow.mp4"]


def test_a_folder_lists_items_of_some_types_and_signs_them_when_wanted(shared):
    folder = shared.client().get_storage_folder(w.fixed("folder/mixed"))
    (video,) = folder.list_items(item_types=[StorageItemType.VIDEO], get_signed_urls=True)
    before = shared.requests_to("get_items")
    assert requests.get(video.get_signed_url(), timeout=30).ok
    assert shared.requests_to("get_items") == before


def test_a_large_folder_is_listed_page_by_page(shared):
    client = shared.client()
    (folder,) = [f for f in client.list_storage_folders() if f.name == "Pictures"]
    assert len({i.uuid for i in folder.list_items()}) == w.PICTURE_COUNT


def test_folders_are_found_by_text(shared):
    assert [f.name for f in shared.client().list_storage_folders(search="ixe")] == ["Mixed"]


def test_an_item_is_read_again(shared):
    one, other = scratch(shared, 3), scratch(shared, 3)
    other.update(description="changed elsewhere")
    one.refetch_data()
    assert one.description == "changed elsewhere"
