//! The newest comparison as files, while the screen is open; what they hold is [`crate::report::comparison`].

use super::Session;
use crate::report::comparison::Compared;

impl Session {
    /// Writes the newest comparison into the current folder.
    pub(super) async fn save_comparison(&mut self) {
        let Some(comparing) = &self.engine.state().comparing else {
            return;
        };
        let saved = Compared::of(comparing).save().await;
        self.ui.notify(match saved {
            Ok(()) => "saved as compare.json and compare.html".to_owned(),
            Err(error) => error.to_string(),
        });
    }
}
