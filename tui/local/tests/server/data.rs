//! Permanent and temporary data folders.

use serde_json::json;
use wb_local::{Scenario, ServeOptions, serve};

use crate::common::{file, with, with_box};

#[tokio::test]
async fn data_and_signed_urls_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("state");
    let options = || ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(3),
        data: Some(data.clone()),
        ..ServeOptions::default()
    };
    let (served, client) = with(options()).await;
    let hash = client.rows(json!({})).await[0]["data_hash"].clone();
    let row = with_box(client.label_row(&hash).await, "AAAAAAA1");
    client.save(&[&row]).await.unwrap();
    let url = client.signed_url(&client.rows(json!({})).await[0]).await;
    let before = client.local("state").await;
    let old_domain = served.domain.clone();
    let served_token = served.local_token.clone();
    served.shutdown().await.unwrap();
    assert!(
        client
            .http
            .get(format!("{old_domain}/local/health"))
            .send()
            .await
            .is_err(),
        "it has stopped"
    );
    let (again, client) = with(options()).await;
    assert_eq!(client.local("state").await, before);
    assert_eq!(again.local_token, served_token, "who has it keeps it");
    let moved = url.replace(&old_domain, &again.domain);
    assert_eq!(client.http.get(moved).send().await.unwrap().status(), 200);
}

#[cfg(unix)]
fn modes(folder: &std::path::Path, found: &mut std::collections::BTreeMap<String, u32>) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        found.insert(entry.file_name().into_string().unwrap(), mode);
        if entry.file_type().unwrap().is_dir() {
            modes(&entry.path(), found);
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_existing_data_folder_is_restricted_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path, bits: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    mode(&data, 0o777);
    std::fs::write(data.join("a persons.txt"), "x").unwrap();
    mode(&data.join("a persons.txt"), 0o644);
    let options = || ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(2),
        data: Some(data.clone()),
        ..ServeOptions::default()
    };
    for _ in 0..2 {
        let (served, client) = with(options()).await;
        let hash = client.rows(json!({})).await[0]["data_hash"].clone();
        let row = with_box(client.label_row(&hash).await, "AAAAAAA1");
        client.save(&[&row]).await.unwrap();
        let (_, urls) = client
            .v2("GET", "/presigned-urls?count=1&uploadItemType=image", None)
            .await;
        let url = urls["results"][0]["signedUrl"].as_str().unwrap();
        let sent = client.http.put(url).body("x").send().await.unwrap();
        assert_eq!(sent.status(), 200);
        let mut found = std::collections::BTreeMap::new();
        modes(&data, &mut found);
        assert_eq!(found.remove("a persons.txt"), Some(0o644), "not ours");
        for name in [
            "project.db",
            "project.db-wal",
            "project.db-shm",
            "lock",
            "id_ed25519",
            "secret",
            "local-token",
        ] {
            assert_eq!(found.get(name), Some(&0o600), "{name}: {found:?}");
        }
        assert_eq!(found.remove("uploads"), Some(0o700));
        assert!(found.values().all(|mode| *mode == 0o600), "{found:?}");
        assert_eq!(
            data.metadata().unwrap().permissions().mode() & 0o7777,
            0o700
        );
        served.shutdown().await.unwrap();
        // As an older server, or a person, may leave them.
        for name in found.keys().filter(|n| data.join(n).exists()) {
            mode(&data.join(name), 0o666);
        }
        mode(&data.join("uploads"), 0o777);
        mode(&data, 0o755);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_shared_with_other_users_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let shared = std::fs::Permissions::from_mode(0o1777);
    std::fs::set_permissions(folder.path(), shared).unwrap();
    let options = ServeOptions {
        data: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let problem = serve(options).await.unwrap_err().to_string();
    assert!(problem.contains("folder of your own"), "{problem}");
    let mode = folder.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777);
}

#[tokio::test]
async fn only_one_server_at_a_time_opens_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = || ServeOptions {
        tasks: Some(3),
        data: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let (served, _client) = with(options()).await;
    let problem = serve(options()).await.unwrap_err().to_string();
    assert!(problem.contains("another server"), "{problem}");
    served.shutdown().await.unwrap();
    serve(options()).await.unwrap();
}

#[tokio::test]
async fn projects_created_concurrently_are_all_listed() {
    let (_served, client) = with(ServeOptions {
        tasks: Some(3),
        ..ServeOptions::default()
    })
    .await;
    let datasets = client
        .get(&format!("/projects/{}/datasets", client.project))
        .await;
    let dataset = datasets["results"][0]["datasetHash"].clone();
    let made: Vec<_> = (0..12)
        .map(|n| {
            let (client, dataset) = (client.clone(), dataset.clone());
            tokio::spawn(async move {
                let payload = json!({"title": format!("p{n}"), "dataset_hashes": [dataset]});
                let body = json!({"query_type": "project", "query_method": "POST",
                                  "values": {"uid": null, "payload": payload}});
                let request = client.legacy_request("/public/user", ("", ""), &body);
                let hash = client.envelope(request).await.unwrap();
                client
                    .get(&format!("/projects/{}", hash.as_str().unwrap()))
                    .await["title"]
                    .clone()
            })
        })
        .collect();
    for (n, project) in made.into_iter().enumerate() {
        assert_eq!(project.await.unwrap(), format!("p{n}"));
    }
    assert_eq!(
        client.get("/projects?titleLike=p%25").await["results"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
}

#[tokio::test]
async fn without_a_data_folder_nothing_is_kept() {
    let (served, client) = with(ServeOptions {
        tasks: Some(3),
        ..ServeOptions::default()
    })
    .await;
    let folder = served.ssh_key_file.parent().unwrap().to_owned();
    assert!(folder.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
    drop(client);
    served.shutdown().await.unwrap();
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_write_and_read_concurrently_without_lock_errors() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(64),
        data: Some(folder.path().join("state")),
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    let rows = client.rows(json!({})).await;
    let clients = rows.iter().map(|row| {
        let (client, hash) = (client.clone(), row["data_hash"].clone());
        tokio::spawn(async move {
            let path = format!("/projects/{}/priorities", client.project);
            for n in 1..=10 {
                let body = json!({"priorities": [[hash, f64::from(n) / 16.0]]});
                let (status, answer) = client.v2("POST", &path, Some(body)).await;
                assert_eq!(status, 200, "{answer}");
                let row = with_box(client.label_row(&hash).await, &format!("object{n:02}"));
                client.save(&[&row]).await.unwrap();
                let read = client.rows(json!({"data_hashes": [hash]})).await;
                assert_eq!(
                    read[0]["priority"],
                    f64::from(n) / 16.0,
                    "what was acknowledged is read"
                );
            }
        })
    });
    for done in clients.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    let counters = client.local("counters").await;
    assert_eq!(counters["endpoints"]["priorities"]["done"], 640);
    assert_eq!(counters["endpoints"]["save_labels"]["done"], 640);
}

#[tokio::test]
async fn unusable_data_folders_are_refused_with_their_path_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |data: std::path::PathBuf| {
        let options = ServeOptions {
            scenario: Scenario::Seed,
            tasks: Some(1),
            data: Some(data),
            ..ServeOptions::default()
        };
        serve(options).await.unwrap_err().to_string()
    };
    let in_a_file = file(folder.path(), "a file", "x").join("data");
    let problem = refused(in_a_file).await;
    assert!(
        problem.contains("cannot make the folder") && problem.contains("a file"),
        "{problem}"
    );
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    file(
        &foreign,
        "project.db",
        "this was never a database, but a long enough text",
    );
    let problem = refused(foreign).await;
    assert!(
        problem.contains("project.db") && problem.contains("another --data"),
        "{problem}"
    );
    let broken_key = folder.path().join("key");
    std::fs::create_dir(&broken_key).unwrap();
    file(&broken_key, "id_ed25519", "-----BEGIN");
    let problem = refused(broken_key).await;
    assert!(
        problem.contains("id_ed25519") && problem.contains("new key created"),
        "{problem}"
    );
}

#[tokio::test]
async fn an_interrupted_build_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "project.unfinished", "half a database");
    let options = ServeOptions {
        scenario: Scenario::Seed,
        tasks: Some(3),
        data: Some(folder.path().to_owned()),
        ..ServeOptions::default()
    };
    let (_served, client) = with(options).await;
    assert_eq!(client.tasks("Agent 1").await.len(), 3);
    assert!(!folder.path().join("project.unfinished").exists());
}
