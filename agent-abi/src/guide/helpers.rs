//! What models and ports need again and again: boxes from a detector, masks, frames in batches, tracks, copies,
//! schemas for language models.
//!
//! 1. [Boxes from a detector](#boxes-from-a-detector) · 2. [Masks from COCO](#masks-from-coco) ·
//! 3. [Frames in batches](#frames-in-batches) · 4. [Between key frames](#between-key-frames) ·
//! 5. [Copies between rows](#copies-between-rows) · 6. [An answer replaced on frames](#an-answer-replaced-on-frames) ·
//! 7. [Questions to a language model](#questions-to-a-language-model) ·
//! 8. [Files of pictures in tests](#files-of-pictures-in-tests)
//!
//! # Boxes from a detector
//!
//! Detectors give pixels or shares, corners or sides, in 32 or 64 bits. Every constructor of a box, a point, a confidence
//! and a priority takes both widths, and what rounding puts at most 1e-6 beyond an edge is taken back to it. Whatever
//! lies further outside is an error; the `clamped` constructors cut it off instead.
//!
//! | from | call |
//! |---|---|
//! | corner and sides, shares | [`BoundingBox::new`](crate::model::BoundingBox::new), [`clamped`](crate::model::BoundingBox::clamped) |
//! | two corners, shares | [`BoundingBox::from_corners`](crate::model::BoundingBox::from_corners) |
//! | corner and sides, pixels | [`BoundingBox::from_pixels`](crate::model::BoundingBox::from_pixels), [`clamped_pixels`](crate::model::BoundingBox::clamped_pixels) |
//! | a point, pixels | [`Point::from_pixels`](crate::model::Point::from_pixels) |
//!
//! [`nms`](crate::model::nms) keeps the best of the boxes that overlap, [`nms_by_class`](crate::model::nms_by_class) the
//! best of each class:
//!
//! ```
//! use agent_abi::model::{Picture, nms_by_class};
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! /// Stands for a model: class, corners in pixels, score.
//! fn detect(_: &Frame<'_>) -> Vec<(&'static str, [f32; 4], f32)> {
//!     vec![
//!         ("Car", [10.0, 10.0, 30.0, 30.0], 0.7),
//!         ("Car", [11.0, 10.0, 31.0, 30.0], 0.9),
//!         ("Person", [10.0, 10.0, 30.0, 30.0], 0.8),
//!         ("Car", [50.0, 40.0, 64.5, 60.0], 0.6), // half a pixel too wide
//!     ]
//! }
//!
//! #[stage("detect")]
//! fn cars(labels: &mut LabelRow, frame: Frame<'_>) -> Result<Route> {
//!     let size = (frame.width(), frame.height());
//!     let mut found = Vec::new();
//!     for (class, [x1, y1, x2, y2], score) in detect(&frame) {
//!         found.push((class, BoundingBox::clamped_pixels(x1, y1, x2 - x1, y2 - y1, size)?, score));
//!     }
//!     let ontology = labels.ontology();
//!     for (class, area, score) in nms_by_class(found, 0.5, |d| (d.1, d.2), |d| d.0) {
//!         labels.add(ontology.object(class)?.boxed(area)?.confidence(score)?)?;
//!     }
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().object("Car", "bounding_box").object("Person", "bounding_box");
//! let run = task("a.jpg").ontology(kinds).image(Picture::filled(64, 64, [0; 3])).run::<cars>();
//! assert_eq!(run.labels().objects().len(), 3);
//! ```
//!
//! # Masks from COCO
//!
//! [`Bitmask::from_coco`](crate::model::Bitmask::from_coco) reads `{"size": [h, w], "counts": …}` as pycocotools writes it,
//! compressed or not, and [`to_coco`](crate::model::Bitmask::to_coco) writes it. Masks of other models are made with
//! [`Bitmask::from_pixels`](crate::model::Bitmask::from_pixels), a `bool` for each pixel, row by row.
//!
//! ```
//! use agent_abi::model::{Bitmask, Picture};
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("segment")]
//! fn puddles(labels: &mut LabelRow) -> Result<Route> {
//!     let answer = json!({"segmentation": {"size": [2, 3], "counts": "222"}, "score": 0.8});
//!     let ontology = labels.ontology();
//!     let mask = Bitmask::from_coco(&answer["segmentation"])?;
//!     labels.add(ontology.object("Puddle")?.bitmask(&mask)?)?;
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().object("Puddle", "bitmask");
//! let run = task("a.jpg").ontology(kinds).image(Picture::filled(3, 2, [0; 3])).run::<puddles>();
//! let mask = run.labels().objects()[0].bitmask(0).unwrap();
//! assert_eq!(mask.to_coco().unwrap()["counts"], "222");
//! ```
//!
//! # Frames in batches
//!
//! `frames.batches(8)` gives eight frames at a time, and so does `.batches(8)` after `every`, `sample` and `at`:
//!
//! ```
//! use agent_abi::model::Picture;
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("score")]
//! fn score(frames: Frames<'_>) -> Result<Route> {
//!     let mut sizes = Vec::new();
//!     for batch in frames.every(2).batches(3) {
//!         let batch = batch?; // the pictures are given back when it is dropped
//!         sizes.push(batch.len().to_string());
//!     }
//!     Ok(Route::to(sizes.join(" ")))
//! }
//!
//! let clip = vec![Picture::filled(8, 8, [0; 3]); 9];
//! assert_eq!(task("a.mp4").video(clip).run::<score>().route(), Some("3 2"));
//! ```
//!
//! # Between key frames
//!
//! A tracker that runs on every tenth frame draws those, and
//! [`LabelRow::interpolate`](crate::model::LabelRow::interpolate) draws the frames between: every shape but masks,
//! linearly, within the frames that are given. They count as not made by a person.
//!
//! ```
//! # use agent_abi::prelude::*;
//! # fn track(labels: &mut LabelRow, boxes: &[(u64, BoundingBox)]) -> Result<()> {
//! let ontology = labels.ontology();
//! let car = ontology.object("Car")?;
//! let mut hash: Option<String> = None;
//! for (frame, area) in boxes {
//!     let drawn = car.boxed(*area)?.on_frame(*frame);
//!     match &hash {
//!         Some(hash) => labels.add_to(hash, &drawn)?,
//!         None => hash = Some(labels.add(drawn)?),
//!     }
//! }
//! if let Some(hash) = hash {
//!     labels.interpolate(&hash, ..)?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Parts of data groups
//!
//! The labels of a data group lie on its parts. [`LabelRow::part_mut`](crate::model::LabelRow::part_mut) lends a part
//! as a label row of its own, by its key in the layout, its file name, its data hash or its index: whatever draws,
//! answers, reads and removes labels works on it. Its labels are in the group's row once it is dropped.
//!
//! ```
//! # use agent_abi::prelude::*;
//! # fn label(labels: &mut LabelRow) -> Result<()> {
//! let ontology = labels.ontology();
//! let mut left = labels.part_mut("camera-left")?;
//! left.add(ontology.object("Car")?.boxed(BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?)?;
//! drop(left);
//! for part in labels.parts() {
//!     log::info!("{}: {} objects", part.name(), part.objects().len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Pictures and files of a part are parameters with `#[part("…")]`, by its key or its file name. As an `Option` one is
//! `None` where the group does not have the part; otherwise the error names the parts there are. A test describes each
//! part as a task of its own:
//!
//! ```
//! use agent_abi::model::Picture;
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("pre-label")]
//! fn visit(
//!     labels: &mut LabelRow,
//!     #[part("camera-left")] left: Frame<'_>,
//!     #[part("report")] report: Option<AssetPath>,
//! ) -> Result<Route> {
//!     let weather = if left.mean_luma() < 64.0 { "Night" } else { "Sunny" };
//!     labels.part_mut("camera-left")?.classify("Weather", weather)?;
//!     let urgent = report.is_some_and(|file| file.read_text().is_ok_and(|text| text.contains("urgent")));
//!     Ok(Route::to(if urgent { "doctor" } else { "annotate" }))
//! }
//!
//! let run = task("visit 7")
//!     .ontology(ontology().radio("Weather", &["Sunny", "Night"]))
//!     .part("camera-left", task("left.jpg").image(Picture::filled(64, 48, [3, 3, 3])))
//!     .part("report", task("report.txt").text().file("urgent: a broken wrist"))
//!     .run::<visit>();
//! assert_eq!(run.route(), Some("doctor"));
//! let left = run.labels().part("camera-left").unwrap();
//! assert_eq!(left.classification("Weather").unwrap().answer(), Some("Night".into()));
//! ```
//!
//! Other languages name the part: `{"name": "Car", "part": "camera-left", "boundingBox": {…}}` in `add`. Pictures of the
//! files of a group are `wb_host.child_frame`.
//!
//! # Copies between rows
//!
//! [`LabelRow::copy_object`](crate::model::LabelRow::copy_object) takes an object of another row over as it is: geometry
//! on every frame, answers, confidence, authors and dates, under a new hash;
//! [`copy_object_with_hash`](crate::model::LabelRow::copy_object_with_hash) keeps the hash.
//! [`LabelRow::copy_classification`](crate::model::LabelRow::copy_classification) does the same with an answer, in the
//! place of the one that is there. Both projects need the same ontology, or one with the same feature hashes.
//!
//! ```
//! # use agent_abi::prelude::*;
//! # fn transfer(labels: &mut LabelRow, twin: &LabelRow) -> Result<()> {
//! for car in twin.objects_named("Car") {
//!     if car.confidence(0).is_some_and(|sure| sure > 0.5) {
//!         labels.copy_object(&car)?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # An answer replaced on frames
//!
//! [`LabelRow::add`](crate::model::LabelRow::add) refuses a classification on frames that have one of its kind;
//! [`LabelRow::replace`](crate::model::LabelRow::replace) takes the frames from it:
//!
//! ```
//! use agent_abi::model::Picture;
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("light")]
//! fn light(labels: &mut LabelRow) -> Result<Route> {
//!     labels.classify("Light", "Bright")?;
//!     let ontology = labels.ontology();
//!     labels.replace(&ontology.classification("Light")?.answer("Dim")?.on_frames(3, 5))?;
//!     Ok(Route::to("review"))
//! }
//!
//! let clip = vec![Picture::filled(8, 8, [0; 3]); 9];
//! let run = task("a.mp4").video(clip).ontology(ontology().radio("Light", &["Bright", "Dim"])).run::<light>();
//! let labels = run.labels();
//! let bright = labels.classifications().into_iter().find(|c| c.answer() == Some("Bright".into())).unwrap();
//! assert_eq!(bright.ranges(), [(0, 2), (6, 8)]);
//! ```
//!
//! # Questions to a language model
//!
//! `json_schema()` of a classification, of a kind of object, or of the whole ontology (all its classifications) is the
//! schema for a model with structured outputs; it uses only what OpenAI's and Anthropic's take. It is the form of
//! encord-agents' `OntologyDataModel`, and what that takes is taken here. The answers are read by
//!
//! | schema | answer |
//! |---|---|
//! | [`OntologyClassification::json_schema`](crate::model::OntologyClassification::json_schema) | [`LabelRow::add_json`](crate::model::LabelRow::add_json); for frames or a confidence: [`answer_json`](crate::model::OntologyClassification::answer_json) |
//! | [`Ontology::json_schema`](crate::model::Ontology::json_schema) | [`LabelRow::add_json_all`](crate::model::LabelRow::add_json_all) |
//! | [`OntologyObject::json_schema`](crate::model::OntologyObject::json_schema) | [`NewObject::answer_json`](crate::model::NewObject::answer_json), of one that is there [`LabelRow::answer_json`](crate::model::LabelRow::answer_json) |
//! | [`Ontology::objects_json_schema`](crate::model::Ontology::objects_json_schema) | [`Ontology::chosen_object`](crate::model::Ontology::chosen_object), then as above |
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! /// Stands for a request: the schema goes along, the answer is JSON of that form.
//! fn model(schema: &Value) -> Value {
//!     let hash = &schema["properties"]["weather"]["properties"]["feature_node_hash"]["const"];
//!     json!({"weather": {"choice": "Night", "feature_node_hash": hash}})
//! }
//!
//! #[stage("describe")]
//! fn describe(labels: &mut LabelRow) -> Result<Route> {
//!     let ontology = labels.ontology();
//!     let weather = ontology.classification("Weather")?;
//!     let answer = model(&weather.json_schema());
//!     labels.replace(&weather.answer_json(&answer)?.manual(false))?;
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().radio("Weather", &["Sunny", "Night"]);
//! let run = task("a.jpg").ontology(kinds).run::<describe>();
//! assert_eq!(run.labels().classification("Weather").unwrap().answer(), Some("Night".into()));
//! ```
//!
//! # Files of pictures in tests
//!
//! The testing kit links no codec: `frame.jpeg(85)?` gives a PPM of the same pixels. Where a test needs the bytes that a run
//! gives, name the encoder of the workbench, the crate `image` (0.25) with its features `jpeg` and `png`, under
//! `[dev-dependencies]`:
//!
//! ```
//! use agent_abi::model::Picture;
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//! use image::ImageEncoder;
//! use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
//!
//! fn encode(picture: &Picture, format: &str, quality: u8) -> Vec<u8> {
//!     let mut file = Vec::new();
//!     let (w, h, color) = (picture.width, picture.height, image::ExtendedColorType::Rgb8);
//!     match format {
//!         "jpeg" => JpegEncoder::new_with_quality(&mut file, quality).write_image(&picture.data, w, h, color),
//!         _ => PngEncoder::new(&mut file).write_image(&picture.data, w, h, color),
//!     }
//!     .unwrap();
//!     file
//! }
//!
//! #[stage("ask")]
//! fn ask(frame: Frame<'_>) -> Result<Route> {
//!     Ok(Route::to(format!("{}", frame.jpeg(85)?.starts_with(&[0xff, 0xd8]))))
//! }
//!
//! let picture = Picture::filled(64, 48, [200, 30, 30]);
//! assert_eq!(task("a.jpg").image(picture).encoder(encode).run::<ask>().route(), Some("true"));
//! ```
