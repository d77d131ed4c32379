//! The local server as a program of its own, without the workbench:
//! `cargo run -p wb-local -- [SCENARIO] [TASKS] [--data DIR] [--file FILE] [FAULT]...`
//!
//! `workbench serve` has all options.

use std::process::ExitCode;

use wb_local::{ServeOptions, serve};

fn options() -> Result<ServeOptions, String> {
    let mut options = ServeOptions::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--data" => options.data = Some(value()?.into()),
            "--file" => options.scenario_file = Some(value()?.into()),
            "--import" => options.import = Some(value()?.into()),
            "--workflow" => options.import_workflow = Some(value()?.into()),
            "--port" => options.port = value()?.parse().map_err(|e| format!("--port: {e}"))?,
            "--people" => {
                options.people = Some(value()?.parse().map_err(|e| format!("--people: {e}"))?);
            }
            "--page-size" => {
                options.page_size = value()?.parse().map_err(|e| format!("--page-size: {e}"))?;
            }
            word if word.contains(':') => options.faults.push(word.parse()?),
            word => match word.parse() {
                Ok(tasks) => options.tasks = Some(tasks),
                Err(_) => options.scenario = word.parse()?,
            },
        }
    }
    Ok(options)
}

/// Returns when the process is asked to stop.
async fn stop_asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("{error}");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let began = std::time::Instant::now();
    let served = match serve(options).await {
        Ok(served) => served,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(3);
        }
    };
    for note in &served.notes {
        eprintln!("{note}");
    }
    println!("{}", served.ready_line());
    eprintln!("ready after {:.2} s", began.elapsed().as_secs_f64());
    stop_asked().await;
    match served.shutdown().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
