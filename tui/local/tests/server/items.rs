//! Storage items, their metadata and their media.

use serde_json::{Value, json};
use wb_local::Scenario;

use crate::common::{Client, start};

#[tokio::test]
async fn items_are_returned_in_the_requested_order_with_working_urls() {
    let (_served, client) = start(Scenario::Demo, 30).await;
    let mut rows = client.rows(json!({})).await;
    rows.reverse();
    let uuids: Vec<&Value> = rows.iter().map(|r| &r["backing_item_uuid"]).collect();
    let (status, page) = client
        .v2(
            "POST",
            "/storage/items/get-bulk",
            Some(json!({"itemUuids": uuids, "signUrls": true})),
        )
        .await;
    assert_eq!(status, 200);
    let items = page["results"].as_array().unwrap();
    let order: Vec<&Value> = items.iter().map(|i| &i["uuid"]).collect();
    assert_eq!(order, uuids);
    for item in items {
        let Some(url) = item["signedUrl"].as_str() else {
            assert_eq!(item["itemType"], "imageGroup");
            continue;
        };
        let response = client.http.get(url).send().await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            item["mimeType"].as_str().unwrap()
        );
        let bytes = response.bytes().await.unwrap();
        assert_eq!(
            Some(bytes.len() as u64),
            item["fileSize"].as_u64(),
            "{}",
            item["name"]
        );
        if item["itemType"] == "image" {
            let picture = image::load_from_memory(&bytes).unwrap();
            assert_eq!(u64::from(picture.width()), item["width"].as_u64().unwrap());
        }
    }
    let unknown = json!({"itemUuids": [uuids[0], uuid::Uuid::nil()], "signUrls": true});
    assert_eq!(
        client
            .v2("POST", "/storage/items/get-bulk", Some(unknown))
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn signed_urls_support_ranges_and_cannot_be_modified() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let row = &client.rows(json!({})).await[0];
    let path = format!(
        "/storage/items/{}",
        row["backing_item_uuid"].as_str().unwrap()
    );
    assert!(client.get(&format!("{path}?signUrl=False")).await["signedUrl"].is_null());
    let url = client.get(&format!("{path}?signUrl=True")).await["signedUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = client.download(&url).await;
    let part = client
        .http
        .get(&url)
        .header("Range", "bytes=10-19")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(
        part.headers()["content-range"],
        format!("bytes 10-19/{}", whole.len())
    );
    assert_eq!(part.bytes().await.unwrap(), whole.slice(10..20));
    let past = client
        .http
        .get(&url)
        .header("Range", "bytes=99999999-")
        .send()
        .await
        .unwrap();
    assert_eq!(past.status(), 416);
    let later = url.replace("expires=1", "expires=2");
    assert_eq!(client.http.get(later).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn metadata_are_replaced_as_a_whole_and_a_missing_item_refuses_a_bulk_change() {
    let (_served, client) = start(Scenario::Seed, 2).await;
    let rows = client.rows(json!({})).await;
    let items: Vec<&str> = rows
        .iter()
        .map(|r| r["backing_item_uuid"].as_str().unwrap())
        .collect();
    let item = client.get(&format!("/storage/items/{}", items[0])).await;
    let path = format!(
        "/storage/folders/{}/items/{}",
        item["parent"].as_str().unwrap(),
        items[0]
    );
    let (status, changed) = client
        .v2(
            "PATCH",
            &path,
            Some(json!({"clientMetadata": {"a": 1}, "name": "new.jpg"})),
        )
        .await;
    assert_eq!(
        (status, &changed["clientMetadata"]),
        (200, &json!("{\"a\":1}"))
    );
    assert_eq!(
        client.rows(json!({"include_client_metadata": true})).await[0]["client_metadata"],
        json!({"a": 1})
    );
    assert_eq!(
        client.rows(json!({"data_title_eq": "new.jpg"})).await.len(),
        1
    );
    let bulk = |second: &str| {
        Some(json!({"itemPatches": {items[1]: {"description": "x"}, second: {"description": "x"}}}))
    };
    let unknown = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    assert_eq!(
        client
            .v2("PATCH", "/storage/items/patch-bulk", bulk(unknown))
            .await
            .0,
        403
    );
    assert_eq!(
        client.get(&format!("/storage/items/{}", items[1])).await["description"],
        ""
    );
    assert_eq!(
        client
            .v2("PATCH", "/storage/items/patch-bulk", bulk(items[0]))
            .await
            .0,
        200
    );
    assert_eq!(
        client.get(&format!("/storage/items/{}", items[1])).await["description"],
        "x"
    );
}

#[tokio::test]
async fn image_groups_have_children_with_media_of_their_own() {
    let (_served, client) = start(Scenario::Demo, 60).await;
    let rows = client.rows(json!({"include_images_data": true})).await;
    let group = rows.iter().find(|r| r["data_type"] == "IMG_GROUP").unwrap();
    let item = client
        .get(&format!(
            "/storage/items/{}",
            group["backing_item_uuid"].as_str().unwrap()
        ))
        .await;
    let path = format!(
        "/storage/folders/{}/items/{}/child-items?signUrls=True",
        item["parent"].as_str().unwrap(),
        item["uuid"].as_str().unwrap()
    );
    let children = client.get(&path).await["results"]
        .as_array()
        .unwrap()
        .clone();
    let images = group["images_data"].as_array().unwrap();
    assert_eq!((children.len(), images.len()), (3, 3));
    for (child, image) in children.iter().zip(images) {
        assert_eq!(
            (&child["name"], &child["width"]),
            (&image["title"], &image["width"])
        );
        assert_eq!(
            client
                .http
                .get(child["signedUrl"].as_str().unwrap())
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
}

/// The values of `key` in the results of a list.
pub async fn listed(client: &Client, path: &str, key: &str) -> Vec<String> {
    let page = client.get(path).await;
    let entries = page["results"].as_array().unwrap();
    entries
        .iter()
        .map(|e| e[key].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn items_folders_and_ontologies_are_found_by_text_and_type() {
    let (_served, client) = start(Scenario::Demo, 30).await;
    let names =
        async |query: &str| listed(&client, &format!("/storage/search/items{query}"), "name").await;
    assert_eq!(names("?search=MEADOW").await, ["meadow_intro_3s.mp4"]);
    assert_eq!(names("?itemTypes=video").await, ["meadow_intro_3s.mp4"]);
    assert_eq!(
        names("?itemTypes=video&itemTypes=imageGroup").await.len(),
        2
    );
    assert!(names("?itemTypes=pdf").await.is_empty());
    assert!(names("?isInDataset=False").await.is_empty());
    assert_eq!(names("?isInDataset=True").await, names("").await);

    let folder = listed(&client, "/storage/folders?search=amer", "uuid").await;
    let inside = format!("/storage/folders/{}/items?itemTypes=plainText", folder[0]);
    assert_eq!(listed(&client, &inside, "itemType").await[0], "plainText");
    assert!(
        listed(&client, "/storage/folders?search=nothing", "uuid")
            .await
            .is_empty()
    );
    let title = "/ontologies?titleEq=Street+scenes";
    assert_eq!(listed(&client, title, "title").await, ["Street scenes"]);
    assert!(
        listed(&client, "/ontologies?titleLike=%25none%25", "title")
            .await
            .is_empty()
    );
}
