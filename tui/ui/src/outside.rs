//! What other programs open: a line of code in the editor, a task on the platform's pages. Each layer knows what its cursor
//! is on; starting programs is left to the binary.

use crate::Ui;
use crate::edit_of::EditOf;
use wb_core::code_place::CodePlace;
use wb_core::command::Command;
use wb_core::ids::{DataHash, ProjectHash, StageId};
use wb_core::pause::pretty;
use wb_core::state::State;

/// Something to open outside of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outside {
    /// In the editor.
    Code(CodePlace),
    /// In the browser.
    Page(String),
    /// A value in the editor, as a file of its own; it goes back to [`Ui::value_typed`].
    Value(ValueText),
}

/// A value as text for the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueText {
    pub(crate) of: EditOf,
    /// As it was when it was opened.
    pub(crate) old: String,
    /// A word for the name of the file.
    pub name: String,
    /// The text.
    pub text: String,
}

impl ValueText {
    /// A value with lines that a person can read.
    pub(crate) fn new(of: EditOf, old: String, text: String, state: &State) -> Self {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let name: String = of.words(state).chars().map(word).take(40).collect();
        let text = pretty(&text, usize::MAX).join("\n");
        Self {
            of,
            old,
            name,
            text,
        }
    }
}

impl Ui {
    /// What is to be opened, once.
    pub fn take_outside(&mut self) -> Option<Outside> {
        self.outside.take()
    }

    /// Shows a line in the last row until the next key: what came of something outside.
    pub fn notify(&mut self, text: String) {
        self.notice = Some(text);
    }

    /// Opens the line that the cursor is on.
    pub(crate) fn edit(&mut self, state: &State) -> Vec<Command> {
        match self.top(|layer| layer.code_place(self, state)) {
            Some(place) => self.outside = Some(Outside::Code(place)),
            None => self.notice = Some("there is no line of code here".to_owned()),
        }
        Vec::new()
    }

    /// Opens the task that the cursor is on, and copies the address for a terminal without a browser.
    pub(crate) fn browse(&mut self, state: &State) -> Vec<Command> {
        let data = self.top(|layer| layer.data(self, state));
        let project = state.project.as_ref().map(|project| project.hash);
        let Some((project, data)) = project.zip(data) else {
            self.notice = Some("no task is selected here".to_owned());
            return Vec::new();
        };
        match page(&state.options.upstream, project, data) {
            Some(url) => {
                self.copied = Some(url.clone());
                self.notice = Some(format!("copied {url}"));
                self.outside = Some(Outside::Page(url));
            }
            None => {
                let upstream = &state.options.upstream;
                self.notice = Some(format!(
                    "{upstream} has no pages; Encord's own servers have"
                ));
            }
        }
        Vec::new()
    }
}

/// The page of a data unit in the label editor: `api.us.encord.com` has it at `app.us.encord.com`.
pub fn page(upstream: &str, project: ProjectHash, data: DataHash) -> Option<String> {
    let rest = upstream.strip_prefix("api.")?;
    let own = rest == "encord.com" || rest.ends_with(".encord.com");
    own.then(|| format!("https://app.{rest}/label_editor/{project}/{data}"))
}

/// Where the agent of a stage is defined.
pub fn agent_place(stage: Option<StageId>, state: &State) -> Option<CodePlace> {
    let (_, _, agent) = state.agent(stage?)?;
    CodePlace::read(&agent.spec.location)
}

/// The first error of the newest build, while it stands.
pub fn compile_error(state: &State) -> Option<CodePlace> {
    let failed = state.compiling.as_ref()?.failed.as_ref()?;
    CodePlace::read(failed.first.as_deref()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn only_encords_own_servers_have_pages() {
        let (project, data) = (
            ProjectHash(Uuid::from_u128(1)),
            DataHash(Uuid::from_u128(2)),
        );
        let url = |upstream: &str| page(upstream, project, data);
        let path = format!("label_editor/{}/{}", Uuid::from_u128(1), Uuid::from_u128(2));
        for (upstream, host) in [
            ("api.encord.com", "app.encord.com"),
            ("api.us.encord.com", "app.us.encord.com"),
        ] {
            assert_eq!(url(upstream), Some(format!("https://{host}/{path}")));
        }
        for other in [
            "127.0.0.1:8123",
            "local project",
            "api.encord.com.example",
            "api.notencord.com",
        ] {
            assert_eq!(url(other), None, "{other}");
        }
    }
}
