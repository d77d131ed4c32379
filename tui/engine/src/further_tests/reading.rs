//! Rows that are read before outcomes are judged.

use super::*;
use wb_core::ids::ProjectHash;
use wb_core::patch::{Wanted, WantedRow};

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_no_agent_was_given_are_read_together() {
    let world = World::with_twin().await;
    let (project, twin) = (&world.project, world.twin());
    let answers = Answers::new(
        world.reader.clone(),
        AssetCache::new(world.dir.path().join("assets"), 1 << 20),
    );
    let ontology = Arc::new(Ontology::from_editor(&project.doc.ontology).unwrap());
    let around = |data: String| {
        let wanted = WantedRow {
            project: ProjectHash(twin.parse().unwrap()),
            data: data.parse().unwrap(),
            branch: "main".to_owned(),
            tasks: false,
        };
        let wanted = Wanted {
            projects: vec![wanted.project],
            rows: vec![wanted],
            ..Wanted::default()
        };
        let own = (project.clone(), ontology.clone());
        let answers = answers.clone();
        async move { answers.around(own, wanted, &Arc::default()).await }
    };
    let units: Vec<String> = world.records_of(&twin).into_keys().collect();
    // The project is known before the rows are wanted.
    around(units[0].clone()).await;
    let before = world.requests("label_rows");
    let found = futures_util::future::join_all(units.iter().cloned().map(around)).await;
    let requests = world.requests("label_rows") - before;
    let (n, missing) = (units.len() as u64, found.iter().find(|f| f.rows.len() != 1));
    assert!(missing.is_none(), "{missing:?}");
    for (unit, found) in units.iter().zip(&found) {
        assert_eq!(found.rows[0].row.data.to_string(), *unit);
        assert!(matches!(found.rows[0].labels, Ok(Some(_))));
    }
    assert!(n >= 8 && requests <= 5, "{requests} requests for {n} rows");
}
