//! Checks a library before anybody opens it: is the file whole, and is it for this machine?
//!
//! The loader itself dies of a file that was cut (a bus error), and its text for a foreign machine
//! misleads. Damage inside a whole file cannot be seen from here: that is what the probe is for.

use agent_abi::table::ENTRY_SYMBOL;
use object::elf;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, FileKind, ReadRef};

/// Why a file is not worth opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub reason: String,
    pub hint: &'static str,
}

const WAIT: &str = "build it again; it is read as soon as it is complete";
const KIND: &str =
    "an agent library is a shared library: crate-type = [\"cdylib\"], or `cc -shared -fPIC`";

/// Checks that a library file is whole and for this machine.
pub(crate) fn check(content: &[u8]) -> Result<(), Flaw> {
    if content.is_empty() {
        return Err(flaw("the file is empty", WAIT));
    }
    match FileKind::parse(content) {
        // Untested: only the kind is looked at, the loader's own checks do the rest in the probe.
        Ok(FileKind::MachO64 | FileKind::MachOFat64) if cfg!(target_vendor = "apple") => Ok(()),
        Ok(FileKind::Elf64) => check_elf(content),
        Ok(FileKind::Elf32) => Err(flaw(
            "it is a 32-bit library, this workbench is 64-bit",
            "build it for this machine's target",
        )),
        _ => Err(flaw("it is not a shared library (no ELF header)", KIND)),
    }
}

fn check_elf(content: &[u8]) -> Result<(), Flaw> {
    let unreadable = |e: object::Error| flaw(&format!("its header cannot be read ({e})"), WAIT);
    let header = elf::FileHeader64::<Endianness>::parse(content).map_err(unreadable)?;
    let endian = header.endian().map_err(unreadable)?;
    let machine = header.e_machine(endian);
    if ours().is_some_and(|ours| machine != ours) {
        return Err(flaw(
            &format!(
                "it is for another kind of machine (ELF machine {}, this one is {})",
                machine.0,
                std::env::consts::ARCH
            ),
            "build it for this machine's target",
        ));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(flaw("not a shared library", KIND));
    }
    let cut = || {
        flaw(
            "the file is cut off: parts that its tables name are missing",
            WAIT,
        )
    };
    for segment in header.program_headers(endian, content).map_err(|_| cut())? {
        segment.data(endian, content).map_err(|()| cut())?;
    }
    for section in header.section_headers(endian, content).map_err(|_| cut())? {
        section.data(endian, content).map_err(|_| cut())?;
    }
    Ok(())
}

/// Whether a file is a whole library of this machine that is not an agent library, such as one that an
/// agent library needs and lies beside. A file whose tables do not show it is not one.
pub fn is_other_library(content: &[u8]) -> bool {
    check(content).is_ok() && exports_entry(content) == Some(false)
}

fn exports_entry(content: &[u8]) -> Option<bool> {
    let header = elf::FileHeader64::<Endianness>::parse(content).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, content).ok()?;
    let symbols = sections
        .symbols(endian, content, elf::SHT_DYNSYM)
        .ok()
        .filter(|symbols| !symbols.is_empty())?;
    Some(symbols.iter().any(|symbol| {
        !symbol.is_undefined(endian)
            && symbol.name(endian, symbols.strings()) == Ok(ENTRY_SYMBOL.as_bytes())
    }))
}

/// What a library declares about the libraries that it needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    /// Their names.
    pub needed: Vec<String>,
    /// Where to look for them, as it is written (`DT_RUNPATH`).
    pub runpath: Vec<String>,
    /// The same of the old kind (`DT_RPATH`), which counts only where there is none of the new.
    pub rpath: Vec<String>,
}

/// Reads them; `None` when the file is not ELF or its tables make no sense.
pub(crate) fn links<'d>(content: impl ReadRef<'d>) -> Option<Links> {
    let header = elf::FileHeader64::<Endianness>::parse(content).ok()?;
    let endian = header.endian().ok()?;
    let table = header.sections(endian, content).ok()?;
    let table = table.dynamic_table(endian, content).ok()?;
    let mut links = Links::default();
    for entry in table.iter().take(10_000) {
        let list = match entry.tag {
            elf::DT_NEEDED => &mut links.needed,
            elf::DT_RUNPATH => &mut links.runpath,
            elf::DT_RPATH => &mut links.rpath,
            _ => continue,
        };
        let text = std::str::from_utf8(table.string(entry).ok()?).ok()?;
        match entry.tag {
            elf::DT_NEEDED => list.push(text.to_owned()),
            _ => list.extend(text.split(':').map(str::to_owned)),
        }
    }
    Some(links)
}

/// Addresses that a library occupies above its load address.
pub(crate) fn span(content: &[u8]) -> Option<u64> {
    let header = elf::FileHeader64::<Endianness>::parse(content).ok()?;
    let endian = header.endian().ok()?;
    header
        .program_headers(endian, content)
        .ok()?
        .iter()
        .filter(|s| s.p_type(endian) == elf::PT_LOAD)
        .map(|s| s.p_vaddr(endian).saturating_add(s.p_memsz(endian)))
        .max()
}

fn ours() -> Option<elf::Machine> {
    match std::env::consts::ARCH {
        "x86_64" => Some(elf::EM_X86_64),
        "aarch64" => Some(elf::EM_AARCH64),
        "riscv64" => Some(elf::EM_RISCV),
        _ => None,
    }
}

fn flaw(reason: &str, hint: &'static str) -> Flaw {
    Flaw {
        reason: reason.to_owned(),
        hint,
    }
}
