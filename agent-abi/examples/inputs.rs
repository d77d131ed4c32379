//! An agent for checks against the local server: it writes what it was given of each part of a data group into the
//! text answer "Notes". Built as a library: `cargo build -p agent-abi --example inputs`.

use agent_abi::prelude::*;

#[stage("Agent 1", routes = ["complete"])]
fn inputs(
    labels: &mut LabelRow,
    #[part("street.jpg")] still: Frame<'_>,
    #[part("1")] video: Frames<'_>,
    #[part("note.txt")] note: AssetPath,
    #[part("elsewhere")] absent: Option<Frame<'_>>,
    #[part("silence.mp3")] sound: Option<Frame<'_>>,
    files: Children<'_>,
) -> Result<Route> {
    let mut luma = Vec::new();
    for frame in video.at([0, 73]) {
        luma.push(frame?.mean_luma().round());
    }
    let pictures: Vec<bool> = files.iter().map(|file| file.frame().is_ok()).collect();
    let seen = json!({
        "still": [still.width(), still.height()], "frames": video.len(), "luma": luma,
        "note": note.read_text()?, "absent": absent.is_none(), "silent": sound.is_none(),
        "pictures": pictures,
    });
    labels.classify("Notes", seen.to_string())?;
    Ok(Route::to("complete"))
}

#[stage("Agent 2", routes = ["complete"])]
fn misnamed(#[part("stret.jpg")] still: Frame<'_>) -> Result<Route> {
    bail!("there is no such part, but a picture of {}", still.width());
}

export![inputs, misnamed];
