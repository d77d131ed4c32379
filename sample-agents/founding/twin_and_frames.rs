//! A twin project's labels, and the frames of a video.

use agent_abi::prelude::*;

#[stage("my_stage")]
fn my_agent(
    task: &Task,
    labels: &mut LabelRow,
    #[depends(twin("00000000-0000-4000-8000-00000000aaaa"))] twin: Option<Twin>,
    frames: Frames<'_>,
) -> Result<Route> {
    let ontology = labels.ontology();
    let car = ontology.object("Car")?;
    let mut seen = 0;
    for frame in &frames {
        let frame = frame?;
        seen += 1;
        if frame.index() % 25 == 0 {
            let (w, h) = (f64::from(frame.width()), f64::from(frame.height()));
            let area = car.bounding_box(0.0, 0.0, 32.0 / w, 18.0 / h)?;
            labels.add(area.on_frame(frame.index()))?;
        }
    }
    let twin = twin.context("these data have no twin")?;
    let theirs = twin.labels.classification("Notes");
    let theirs = theirs
        .and_then(|c| c.answer())
        .context("the twin is empty")?;
    let text = format!("{}: {seen} frames, the twin has {theirs}", task.title());
    labels.add(ontology.classification("Notes")?.answer(text)?.on_frame(0))?;
    Ok(Route::to("complete"))
}

export![my_agent];
