//! Pages of a PDF as pictures, drawn by an installed program: poppler's `pdftoppm`, or `mutool`.

use super::bad::Bad;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use wb_media::Source;

/// Dots an inch: about 1,000 pixels on the longest side of a letter.
const DPI: &str = "100";

/// An open PDF.
pub struct Pdf {
    path: PathBuf,
    renderer: Renderer,
    pages: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Renderer {
    Poppler,
    Mutool,
}

impl Pdf {
    /// Counts the pages; `None` when no program that draws them is installed.
    pub fn open(path: &Path) -> Result<Option<Self>, Bad> {
        for (renderer, program, first) in [
            (Renderer::Poppler, "pdfinfo", None),
            (Renderer::Mutool, "mutool", Some("info")),
        ] {
            let mut count = Command::new(program);
            let Some(out) = run(count.args(first).arg(path))? else {
                continue;
            };
            let pages = pages(&String::from_utf8_lossy(&out.stdout));
            let path = path.to_owned();
            let Some(pages) = pages else {
                let why = format!("{program} cannot read {}", path.display());
                let file = Some(path);
                return Err(Bad { why, file });
            };
            return Ok(Some(Self {
                path,
                renderer,
                pages,
            }));
        }
        Ok(None)
    }

    /// How many pages it has.
    pub const fn pages(&self) -> u64 {
        self.pages
    }

    /// Draws a page, counted from 0.
    pub fn page(&self, page: u64) -> Result<Option<wb_media::Picture>, Bad> {
        let number = (page + 1).to_string();
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let picture = dir.path().join("page.png");
        let mut draw = match self.renderer {
            Renderer::Poppler => {
                let mut draw = Command::new("pdftoppm");
                draw.args([
                    "-png",
                    "-singlefile",
                    "-r",
                    DPI,
                    "-f",
                    &number,
                    "-l",
                    &number,
                ]);
                draw.arg(&self.path).arg(dir.path().join("page"));
                draw
            }
            Renderer::Mutool => {
                let mut draw = Command::new("mutool");
                draw.args(["draw", "-q", "-r", DPI, "-o"]).arg(&picture);
                draw.arg(&self.path).arg(&number);
                draw
            }
        };
        let drawn = run(&mut draw)?.is_some_and(|out| out.status.success());
        if !drawn {
            let why = format!("page {page} of the PDF cannot be drawn");
            return Err(why.into());
        }
        Ok(Source::open(&picture, Some("image/png"), "image", &[])?.frame(0)?)
    }
}

/// Runs a program to its end; `None` when it is not installed.
fn run(command: &mut Command) -> Result<Option<Output>, Bad> {
    let command = command.stdin(Stdio::null()).stderr(Stdio::null());
    match command.output() {
        Ok(out) => Ok(Some(out)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string().into()),
    }
}

/// The number behind `Pages:`, as both programs print it.
fn pages(facts: &str) -> Option<u64> {
    let line = facts.lines().find_map(|line| line.strip_prefix("Pages:"));
    line?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_counted_in_the_words_of_both_programs() {
        let poppler = "Title:           x\nPages:           12\nEncrypted:       no\n";
        assert_eq!(pages(poppler), Some(12));
        assert_eq!(pages("PDF-1.4\n\nPages: 3\n\n"), Some(3));
        assert_eq!(pages("Syntax Error"), None);
    }
}
