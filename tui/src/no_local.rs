//! `demo` and `serve` in a build without the cargo feature `local`: both report what is missing.

use crate::cli::{DemoArgs, Global, RecordArgs, ServeArgs};
use crate::exit::Ending;
use wb_core::error::{Error, ErrorKind};
use wb_engine::config::Config;

pub async fn demo(_: &Global, _: &Config, _: &DemoArgs, _: &RecordArgs) -> Result<Ending, Error> {
    Err(missing())
}

pub async fn serve(_: &ServeArgs, _: &mut Ending) -> Result<(), Error> {
    Err(missing())
}

fn missing() -> Error {
    Error::new(
        ErrorKind::Usage,
        "this workbench was built without its local server",
    )
    .hint("build it with the cargo feature `local`, which is on by default")
}
