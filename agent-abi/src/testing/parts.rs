//! Data groups: a task made of others, each a part with its own data.

use super::TestTask;
use super::docs::{Kind, TempFile};
use crate::wire::AssetDoc;
use serde_json::{Map, Value, json};

impl TestTask {
    /// A part of a data group, by its key in the layout: the data that another task describes, under its title as
    /// the file name. Labels to begin with are those of the group, [`TestTask::with_labels`] after all parts.
    ///
    /// ```
    /// use agent_abi::model::Picture;
    /// use agent_abi::prelude::*;
    /// use agent_abi::testing::{ontology, task};
    ///
    /// #[stage("pre-label")]
    /// fn both(
    ///     labels: &mut LabelRow,
    ///     #[part("camera")] frame: Frame<'_>,
    ///     #[part("report")] report: AssetPath,
    /// ) -> Result<Route> {
    ///     if frame.mean_luma() < 64.0 && report.read_text()?.contains("night") {
    ///         labels.part_mut("camera")?.classify("Weather", "Night")?;
    ///     }
    ///     Ok(Route::to("annotate"))
    /// }
    ///
    /// let run = task("visit 1")
    ///     .ontology(ontology().radio("Weather", &["Sunny", "Night"]))
    ///     .part("camera", task("left.jpg").image(Picture::filled(64, 48, [3, 3, 3])))
    ///     .part("report", task("report.txt").text().file("a night with rain"))
    ///     .run::<both>();
    /// let camera = run.labels().part("camera").unwrap();
    /// assert_eq!(camera.classification("Weather").unwrap().answer(), Some("Night".into()));
    /// ```
    ///
    /// # Panics
    /// When the other task has labels, or is itself a group.
    #[must_use]
    #[track_caller]
    pub fn part(mut self, key: &str, data: Self) -> Self {
        assert!(
            data.labels.is_none(),
            "the labels of a part are those of the group: describe them with `with_labels` of the group, after its parts"
        );
        assert!(
            !matches!(data.kind, Kind::ImgGroup | Kind::Group),
            "a group cannot be a part of a data group"
        );
        self.kind = Kind::Group;
        self.parts.push((key.to_owned(), data));
        self
    }

    /// The parts as the metadata of the row have them.
    pub(super) fn spaces(&self) -> Map<String, Value> {
        let space = |(key, data): &(String, Self)| {
            let size = data.pictures.first().map(|p| (p.width, p.height));
            let (width, height) = size.unzip();
            let mut space = match data.kind {
                Kind::Video => json!({
                    "space_type": "video", "number_of_frames": data.pictures.len(), "data_fps": 10,
                    "width": width, "height": height,
                }),
                Kind::Audio => json!({"space_type": "audio"}),
                Kind::PlainText => json!({"space_type": "text"}),
                Kind::Html => json!({"space_type": "html"}),
                Kind::Pdf(pages) => json!({"space_type": "pdf", "number_of_pages": pages}),
                Kind::Image | Kind::ImgGroup | Kind::Group => {
                    json!({"space_type": "image", "width": width, "height": height})
                }
            };
            space["child_info"] = json!({"layout_key": key, "file_name": data.title});
            (self.id(&format!("part {key}")).to_string(), space)
        };
        self.parts.iter().map(space).collect()
    }

    /// The files of the parts; `written` are those of parts whose content was given.
    pub(super) fn part_files(
        &self,
        written: &[Option<TempFile>],
    ) -> impl Iterator<Item = AssetDoc> {
        self.parts.iter().zip(written).map(|((_, data), file)| {
            let file = file.as_ref().map(|file| file.path().to_owned());
            AssetDoc {
                path: data.asset.clone().or(file).unwrap_or_default(),
                mime_type: data.mime_type().map(str::to_owned),
                item_type: data.item_type().to_owned(),
                title: data.title.clone(),
                children: Vec::new(),
            }
        })
    }
}
