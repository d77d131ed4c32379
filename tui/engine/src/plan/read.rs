//! A plan that is being read: each line checked, and the whole against its footer.

use super::digest::Digest;
use super::*;
use flate2::bufread::MultiGzDecoder;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};

/// A plan that is being read.
pub struct Plan {
    /// Its header.
    pub header: Header,
    /// The ontology of its project.
    pub ontology: Arc<Ontology>,
    path: PathBuf,
    lines: Lines,
    found: Found,
    seen: HashSet<(DataHash, StageId)>,
    ended: bool,
}

type Unpacked = BufReader<MultiGzDecoder<BufReader<File>>>;

/// The lines of the file, and the digest of those that were read.
struct Lines {
    from: Unpacked,
    digest: Digest,
}

impl Lines {
    fn of(file: File) -> Self {
        Self {
            from: BufReader::new(MultiGzDecoder::new(BufReader::new(file))),
            digest: Digest::default(),
        }
    }

    /// The next line, without its end; `None` after the last. It counts into the digest with
    /// [`Lines::count`].
    fn next(&mut self) -> std::io::Result<Option<String>> {
        let mut text = String::new();
        let read = self.from.read_line(&mut text)?;
        if read > 0 && text.pop() != Some('\n') {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok((read > 0).then_some(text))
    }

    fn count(&mut self, line: &str) {
        self.digest.add(line.as_bytes());
        self.digest.add(b"\n");
    }

    fn into_file(self) -> File {
        self.from.into_inner().into_inner().into_inner()
    }
}

impl Plan {
    /// Opens a plan. What is read of it is known to be whole only when [`Plan::next_line`] came to its end.
    ///
    /// # Errors
    /// There is no such file, it is not a plan, or its format is another one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = wb_host::open_regular(path).map_err(|e| {
            Error::new(ErrorKind::Usage, format!("{}: {e}", path.display()))
                .hint("make a plan first: workbench plan … -o FILE")
        })?;
        Self::of(path, file)
    }

    fn of(path: &Path, file: File) -> Result<Self, Error> {
        let mut lines = Lines::of(file);
        let first = lines.next().map_err(|e| not_a_plan(path, &e.to_string()))?;
        let first = first.ok_or_else(|| not_a_plan(path, "it is empty"))?;
        lines.count(&first);
        let value: Value =
            serde_json::from_str(&first).map_err(|e| not_a_plan(path, &e.to_string()))?;
        match value["workbench_plan"].as_u64() {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => return Err(other_format(path, format)),
            None => return Err(not_a_plan(path, "its first line is not a header")),
        }
        let header: Header =
            serde_json::from_value(value).map_err(|e| damaged(path, &e.to_string()))?;
        let ontology =
            Ontology::from_editor(&header.ontology).map_err(|e| damaged(path, &e.to_string()))?;
        Ok(Self {
            header,
            ontology: Arc::new(ontology),
            path: path.to_owned(),
            lines,
            found: Found::default(),
            seen: HashSet::new(),
            ended: false,
        })
    }

    /// Reads a plan to its end and back, so that a damaged one is found before anything is done.
    ///
    /// # Errors
    /// As [`Plan::next_line`].
    pub fn verified(path: &Path) -> Result<Self, Error> {
        let mut plan = Self::open(path)?;
        while plan.next_line()?.is_some() {}
        // The same file again, whatever has that name by now.
        let mut file = plan.lines.into_file();
        file.rewind().map_err(|e| {
            let text = format!("{} cannot be read twice: {e}", path.display());
            Error::new(ErrorKind::Usage, text).hint("store the plan in a file first")
        })?;
        Self::of(path, file)
    }

    /// The next task; `None` after the last.
    ///
    /// # Errors
    /// The file is damaged, edited or cut short.
    pub fn next_line(&mut self) -> Result<Option<PlanLine>, Error> {
        if self.ended {
            return Ok(None);
        }
        let text = self
            .text()?
            .ok_or_else(|| self.damaged("its end is missing"))?;
        if text.starts_with("{\"end\"") {
            self.end(&text)?;
            return Ok(None);
        }
        self.lines.count(&text);
        let line: PlanLine =
            serde_json::from_str(&text).map_err(|e| self.damaged(&e.to_string()))?;
        let line = self.resolved(line).map_err(|why| self.damaged(&why))?;
        if !self.seen.insert((line.data, line.stage)) {
            return Err(self.damaged(&format!("task {} is in it twice", line.task)));
        }
        self.found.outcomes += 1;
        self.found.changes += u64::from(line.change.is_some());
        Ok(Some(line))
    }

    fn text(&mut self) -> Result<Option<String>, Error> {
        self.lines.next().map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => self.damaged("its end is missing"),
            _ => self.damaged(&error.to_string()),
        })
    }

    /// What is written, and the names of what it leads to. The line's own account of what task it is must
    /// be that of what is written.
    fn resolved(&self, mut line: PlanLine) -> Result<PlanLine, String> {
        let (task, stage) = (line.task, line.stage);
        let stage = self.header.stages.iter().find(|s| s.id == stage);
        let stage =
            stage.ok_or_else(|| format!("task {task} is at a stage that it does not list"))?;
        line.stage_title.clone_from(&stage.title);
        let Some(change) = &line.change else {
            return Ok(line);
        };
        let same = (change.task, change.data, change.stage) == (line.task, line.data, line.stage)
            && (&*change.title, &*change.branch) == (line.title.as_str(), line.branch.as_str());
        if !same || line.error.is_some() {
            return Err(format!(
                "what is written for task {task} does not match its description"
            ));
        }
        if let Some(id) = change.pathway {
            let pathway = stage.pathways.iter().find(|p| p.id == id);
            let pathway = pathway.filter(|p| change.to == Some(p.to) && !change.direct);
            let pathway =
                pathway.ok_or_else(|| format!("task {task} leaves by an unknown pathway"))?;
            let alike = stage.pathways.iter().filter(|p| p.name == pathway.name);
            line.route = Some(match alike.count() {
                1 => pathway.name.clone(),
                _ => format!("{} ({})", pathway.name, pathway.id),
            });
            line.way = Route::Pathway {
                id,
                name: pathway.name.clone(),
                to: pathway.to,
            };
        } else if let Some(to) = change.to {
            let to = self.header.stages.iter().find(|s| s.id == to);
            let to = to.filter(|_| change.direct);
            let to = to.ok_or_else(|| format!("task {task} goes to an unknown stage"))?;
            line.way = Route::Stage {
                id: to.id,
                title: to.title.clone(),
            };
            line.route = Some(line.way.name().into_owned());
        }
        Ok(line)
    }

    fn end(&mut self, text: &str) -> Result<(), Error> {
        let footer: Footer =
            serde_json::from_str(text).map_err(|e| self.damaged(&e.to_string()))?;
        if footer.sha256 != self.lines.digest.text() {
            return Err(self.damaged(
                "it was edited or damaged since it was made: its SHA-256 differs from the one in its last line",
            ));
        }
        if footer.end != self.found {
            return Err(self.damaged("it has another number of tasks than in its last line"));
        }
        if self.text()?.is_some() {
            return Err(self.damaged("it goes on after its last line"));
        }
        self.ended = true;
        Ok(())
    }

    fn damaged(&self, why: &str) -> Error {
        damaged(&self.path, why)
    }
}

fn damaged(path: &Path, why: &str) -> Error {
    let text = format!("{} cannot be used: {why}", path.display());
    Error::new(ErrorKind::Settings, text)
        .hint("nothing was written; fetch the file again from where it came, or plan again")
}

fn not_a_plan(path: &Path, why: &str) -> Error {
    let text = format!("{} is not a plan: {why}", path.display());
    Error::new(ErrorKind::Usage, text).hint("a plan is made by: workbench plan … -o FILE")
}

fn other_format(path: &Path, format: u64) -> Error {
    let path = path.display();
    let text = format!("{path} uses plan format v{format}; this version supports v{FORMAT} only");
    let error = Error::new(ErrorKind::Settings, text);
    match format < u64::from(FORMAT) {
        true => error
            .because("older plans have no digest, and show a patch that nothing compares with what is written")
            .hint("nothing was written; plan again"),
        false => error.hint("nothing was written; use the version that made it, or plan again"),
    }
}
