//! `queue` and `worker` in a build without the cargo feature `broker`: both report what is missing.

use crate::cli::{Global, QueueArgs, WorkerArgs};
use crate::exit::Ending;
use wb_core::error::{Error, ErrorKind};
use wb_engine::config::Config;
use wb_engine::flags::Flags;

pub async fn queue(_: &Global, _: &Config, _: &QueueArgs) -> Result<(), Error> {
    Err(missing())
}

pub async fn worker(_: &Flags, _: &Config, _: &WorkerArgs) -> Ending {
    let mut ending = Ending::default();
    ending.fail(missing());
    ending
}

fn missing() -> Error {
    Error::new(
        ErrorKind::Usage,
        "this workbench was built without message brokers",
    )
    .hint("build it with the cargo feature `broker`, which is on by default")
}
