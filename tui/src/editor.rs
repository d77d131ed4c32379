//! Other programs that the screen starts: the editor, which gets the terminal, and the browser, which does not. When
//! they are asked for is left to the screen.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;
use wb_core::code_place::CodePlace;

/// Used where neither `VISUAL` nor `EDITOR` is set, as other programs do.
const FALLBACK: &str = "vi";

/// How an editor takes the line to open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineForm {
    /// `+12 file`: vi, vim, nano, kakoune, and whatever is not known.
    Plus,
    /// `+12:5 file`: emacs and emacsclient.
    PlusColumn,
    /// `file:12:5`: helix, Sublime Text, Zed.
    Colon,
    /// `--goto file:12:5`: Visual Studio Code and its relatives.
    Goto,
    /// `--line 12 --column 5 file`: editors of JetBrains, and Kate.
    Flags,
}

impl LineForm {
    fn of(program: &str) -> Self {
        let name = Path::new(program).file_stem().unwrap_or_default();
        match name.to_string_lossy().to_lowercase().as_str() {
            "emacs" | "emacsclient" | "mg" => Self::PlusColumn,
            "hx" | "helix" | "subl" | "zed" | "zeditor" | "micro" => Self::Colon,
            "code" | "code-insiders" | "codium" | "vscodium" | "cursor" | "windsurf" => Self::Goto,
            "idea" | "rustrover" | "clion" | "pycharm" | "kate" => Self::Flags,
            _ => Self::Plus,
        }
    }

    fn arguments(self, file: &Path, line: u32, column: Option<u32>) -> Vec<OsString> {
        let joined = |flag: Option<&str>| {
            let mut place = file.as_os_str().to_owned();
            place.push(format!(":{line}:{}", column.unwrap_or(1)));
            let flag = flag.map(OsString::from);
            flag.into_iter().chain([place]).collect()
        };
        let before = |flags: Vec<String>| {
            let flags = flags.into_iter().map(OsString::from);
            flags.chain([file.as_os_str().to_owned()]).collect()
        };
        match self {
            Self::Plus => before(vec![format!("+{line}")]),
            Self::PlusColumn => before(vec![format!("+{line}:{}", column.unwrap_or(1))]),
            Self::Colon => joined(None),
            Self::Goto => joined(Some("--goto")),
            Self::Flags => before(vec![
                "--line".to_owned(),
                line.to_string(),
                "--column".to_owned(),
                column.unwrap_or(1).to_string(),
            ]),
        }
    }
}

/// The editor that the environment names.
fn chosen(var: impl Fn(&str) -> Option<String>) -> String {
    let set = |name| var(name).filter(|value| !value.trim().is_empty());
    set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| FALLBACK.to_owned())
}

/// The command that opens a file at a line; its name for messages. As git does, the shell reads the editor: it may have
/// arguments, and blanks in its path.
pub fn command(file: &Path, place: &CodePlace) -> (String, Command) {
    let editor = chosen(|name| std::env::var(name).ok());
    let program = editor.split_whitespace().next().unwrap_or(FALLBACK);
    let arguments = LineForm::of(program).arguments(file, place.line, place.column);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{editor} \"$@\""), program]);
    command.args(arguments);
    (editor, command)
}

/// A file for a value that is edited: only its owner can read it, and it is deleted with this handle.
///
/// # Errors
/// It cannot be written.
pub fn value_file(name: &str, text: &str) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(&format!("workbench-{name}-"))
        .suffix(".json")
        .tempfile()?;
    file.write_all(text.trim_end().as_bytes())?;
    file.write_all(b"\n")?;
    file.flush()?;
    Ok(file)
}

/// The file of a place: compilers write it relative to the crate, or to its workspace. `near` are files and folders of the
/// crates, the best first.
pub fn file(place: &CodePlace, near: &[PathBuf]) -> Option<PathBuf> {
    let path = Path::new(&place.path);
    if path.is_absolute() {
        return path.is_file().then(|| path.to_owned());
    }
    let folders = near.iter().flat_map(|near| near.ancestors());
    folders
        .map(|folder| folder.join(path))
        .find(|file| file.is_file())
}

/// Opens a page in the browser, without waiting for it.
///
/// # Errors
/// There is no program for it.
pub fn browse(url: &str) -> io::Result<()> {
    let own = std::env::var("BROWSER")
        .ok()
        .filter(|b| !b.trim().is_empty());
    let system = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let program = own.as_deref().unwrap_or(system);
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {program} \"$@\""), program, url])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Somebody has to take its exit status.
    std::thread::Builder::new()
        .name("wb-browser".into())
        .spawn(move || child.wait())
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_editor_is_given_the_line_in_its_own_form() {
        for (editor, wanted) in [
            ("vi", vec!["+12", "a b.rs"]),
            ("/usr/bin/nvim", vec!["+12", "a b.rs"]),
            ("emacsclient", vec!["+12:5", "a b.rs"]),
            ("hx", vec!["a b.rs:12:5"]),
            ("code", vec!["--goto", "a b.rs:12:5"]),
            ("idea", vec!["--line", "12", "--column", "5", "a b.rs"]),
            ("unknown", vec!["+12", "a b.rs"]),
        ] {
            let form = LineForm::of(editor);
            let given = form.arguments(Path::new("a b.rs"), 12, Some(5));
            assert_eq!(given, wanted, "{editor}");
        }
        let without = LineForm::Colon.arguments(Path::new("a.rs"), 3, None);
        assert_eq!(without, ["a.rs:3:1"]);
    }

    #[test]
    fn visual_is_asked_before_editor_and_empty_ones_are_none() {
        let with = |visual: &'static str, editor: &'static str| {
            chosen(|name| Some(if name == "VISUAL" { visual } else { editor }.to_owned()))
        };
        assert_eq!(with("hx", "nano"), "hx");
        assert_eq!(with(" ", "code --wait"), "code --wait");
        assert_eq!(with("", ""), FALLBACK);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_is_for_its_owner_alone_and_gone_afterwards() {
        use std::os::unix::fs::PermissionsExt;
        let file = value_file("parameters", "{}").unwrap();
        let path = file.path().to_owned();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        assert!(path.to_string_lossy().ends_with(".json"));
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_place_is_found_in_the_crate_or_in_a_folder_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let file_at = dir.path().join("agents/src/lib.rs");
        std::fs::create_dir_all(file_at.parent().unwrap()).unwrap();
        std::fs::write(&file_at, "").unwrap();
        let near = [dir.path().join("agents")];
        let place = |path: &str| CodePlace {
            path: path.to_owned(),
            line: 1,
            column: None,
        };
        for path in ["src/lib.rs", "agents/src/lib.rs"] {
            assert_eq!(file(&place(path), &near).as_ref(), Some(&file_at), "{path}");
        }
        assert_eq!(file(&place("src/gone.rs"), &near), None);
    }
}
