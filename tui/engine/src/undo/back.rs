//! An operation goes back: its entries in pieces, the newest first, a few pieces at a time. What takes one entry back is
//! the parent's.

use super::{CHUNK, Skipped, Told, inverse};
use crate::journal::{self, Change, Entry, HEAVY, Journal, Scope};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use std::collections::HashSet;
use wb_client::{Reader, Writer};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::DataHash;
use wb_core::journal::Undone;
use wb_core::work::{Committed, Project};

/// Pieces on their way at once.
const LANES: usize = 4;

/// What became of the entries of one piece.
enum Fate {
    Left(String),
    Sent(Box<Change>, Committed),
}

/// Takes an operation back, the newest entries first: a task that was written twice goes back the way
/// it came. What an earlier undo of it left in part is finished first. Without a writer nothing is sent. `told` hears of every task. When `stop` says so, the rest is left;
/// so it is after an error, when what is on its way has ended.
///
/// # Errors
/// The journal cannot be used, or the platform not be reached; what is restored stays so.
pub async fn take_back(
    reader: &Reader,
    writer: Option<&Writer>,
    journal: &Journal,
    project: &Project,
    op: i64,
    mut told: impl FnMut(&Change, Told<'_>) + Send,
    stop: impl Fn() -> bool + Send,
) -> Result<Undone, Error> {
    let mut done = Undone::default();
    if let Some(writer) = writer {
        // An undo that was refused half-way is completed, not begun again.
        let begun = journal::settle(writer, journal, project, Scope::UndosOf(op)).await;
        let begun = begun.map_err(|error| rest_of(error, op))?;
        done.restored += begun.finished as u64;
    }
    for open in journal.open_undos(project.hash, op)? {
        let why = open.refused.map_or_else(String::new, |error| error.summary);
        told(&open.change, Told::Failed(&why));
        done.failed.push((open.change.item.title.to_string(), why));
    }
    let mut pieces = Pieces::new(journal, op);
    let mut flying = FuturesOrdered::new();
    let mut trouble: Option<Error> = None;
    loop {
        while flying.len() < LANES && trouble.is_none() && !stop() {
            match pieces.next(flying.is_empty()) {
                Ok(Some(piece)) => {
                    flying.push_back(one_piece(reader, writer, journal, project, piece));
                }
                Ok(None) => break,
                Err(error) => trouble = Some(error),
            }
        }
        let Some((piece, fates)) = flying.next().await else {
            break;
        };
        pieces.landed(&piece);
        let heard = fates.and_then(|fates| {
            hear(&piece, fates, &mut done, &mut told).map_err(|f| rest_of(f, op))
        });
        if let Err(error) = heard {
            trouble.get_or_insert(error);
        }
    }
    trouble.map_or(Ok(done), Err)
}

/// Where the reading of an operation's entries is.
struct Pieces<'a> {
    journal: &'a Journal,
    op: i64,
    below: i64,
    /// Units that are on their way.
    busy: HashSet<DataHash>,
    /// Bytes of their label rows.
    weight: usize,
    /// What was read and has to wait for all that is on its way.
    waits: Option<Vec<Entry>>,
    over: bool,
}

impl<'a> Pieces<'a> {
    fn new(journal: &'a Journal, op: i64) -> Self {
        Self {
            journal,
            op,
            below: i64::MAX,
            busy: HashSet::new(),
            weight: 0,
            waits: None,
            over: false,
        }
    }

    /// The next piece that may go, if any may now. One that was cut short, by the weight of its rows or by a unit
    /// that was written twice, goes alone, and so does one with a unit that is on its way or too heavy to go beside others.
    fn next(&mut self, alone: bool) -> Result<Option<Vec<Entry>>, Error> {
        let piece = match self.waits.take() {
            Some(piece) => piece,
            None => match self.read()? {
                Some(piece) => piece,
                None => return Ok(None),
            },
        };
        let weight = weight(&piece);
        let apart = piece.len() == CHUNK
            && self.weight + weight <= HEAVY
            && piece
                .iter()
                .all(|e| !self.busy.contains(&e.change.item.data));
        if !alone && !apart {
            self.waits = Some(piece);
            return Ok(None);
        }
        self.busy.extend(piece.iter().map(|e| e.change.item.data));
        self.weight += weight;
        Ok(Some(piece))
    }

    fn read(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        if self.over {
            return Ok(None);
        }
        let (mut piece, last) = self.journal.standing(self.op, self.below, CHUNK)?;
        let Some(last) = last else {
            self.over = true;
            return Ok(None);
        };
        let now = together(&piece);
        // What comes after these is read again.
        self.below = match piece.get(now) {
            Some(_) => piece[now - 1].id,
            None => last,
        };
        piece.truncate(now);
        Ok(Some(piece))
    }

    fn landed(&mut self, piece: &[Entry]) {
        for entry in piece {
            self.busy.remove(&entry.change.item.data);
        }
        self.weight -= weight(piece);
    }
}

fn weight(entries: &[Entry]) -> usize {
    entries.iter().map(|e| e.change.item.weight()).sum()
}

/// How many of the first entries may be taken back together: a unit that was written twice goes back
/// the way it came, one write after the other.
fn together(entries: &[Entry]) -> usize {
    let mut units = HashSet::new();
    let again = entries
        .iter()
        .position(|e| !units.insert(e.change.item.data));
    again.unwrap_or(entries.len())
}

/// Looks at the entries of a piece and takes back what still stands, each with what became of it; of those that
/// somebody else had overtaken already nothing is said.
async fn one_piece(
    reader: &Reader,
    writer: Option<&Writer>,
    journal: &Journal,
    project: &Project,
    piece: Vec<Entry>,
) -> (Vec<Entry>, Result<Vec<(usize, Fate)>, Error>) {
    let fates = Box::pin(fates(reader, writer, journal, project, &piece)).await;
    (piece, fates)
}

async fn fates(
    reader: &Reader,
    writer: Option<&Writer>,
    journal: &Journal,
    project: &Project,
    piece: &[Entry],
) -> Result<Vec<(usize, Fate)>, Error> {
    let mut fates = Vec::new();
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    let found = inverse(reader, project, piece).await?;
    for (i, result) in found.into_iter().enumerate() {
        match result {
            Ok(change) => {
                changes.push(change);
                places.push(i);
            }
            Err(_) if piece[i].overtaken => {}
            Err(Skipped(why)) => fates.push((i, Fate::Left(why))),
        }
    }
    let results: Vec<Committed> = match writer {
        Some(writer) => {
            let sent = journal::perform(writer, journal, project, &changes).await?;
            sent.into_iter().map(|(_, result)| result).collect()
        }
        None => vec![Committed::Done; changes.len()],
    };
    let sent = changes.into_iter().zip(results);
    fates.extend(
        (places.into_iter()).zip(sent.map(|(change, result)| Fate::Sent(Box::new(change), result))),
    );
    Ok(fates)
}

fn hear(
    piece: &[Entry],
    fates: Vec<(usize, Fate)>,
    done: &mut Undone,
    told: &mut impl FnMut(&Change, Told<'_>),
) -> Result<(), Error> {
    let mut trouble = Ok(());
    for (i, fate) in fates {
        match fate {
            Fate::Left(why) => {
                let change = &piece[i].change;
                told(change, Told::Left(&why));
                done.left.push((change.item.title.to_string(), why));
            }
            Fate::Sent(change, result) => trouble = trouble.and(tell(&change, result, done, told)),
        }
    }
    trouble
}

fn tell(
    change: &Change,
    result: Committed,
    done: &mut Undone,
    told: &mut impl FnMut(&Change, Told<'_>),
) -> Result<(), Error> {
    let title = change.item.title.to_string();
    match result {
        Committed::Done => {
            done.restored += 1;
            told(change, Told::Restored);
        }
        Committed::AlreadyMoved => {
            let why = "somebody moved the task on at this very moment";
            told(change, Told::Left(why));
            done.left.push((title, why.to_owned()));
        }
        Committed::Conflict { by } => {
            told(change, Told::Left(&by));
            done.left.push((title, by));
        }
        Committed::Refused(error) | Committed::Partial { error, .. } => {
            told(change, Told::Failed(&error.summary));
            done.failed.push((title, error.summary.clone()));
            if matches!(error.kind, ErrorKind::Network | ErrorKind::Access) {
                return Err(error);
            }
        }
    }
    Ok(())
}

fn rest_of(error: Error, op: i64) -> Error {
    error.hint(format!(
        "what is restored stays so; for the rest: workbench undo {op}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Operation;
    use uuid::Uuid;
    use wb_core::ids::{Millis, ProjectHash, StageId, TaskId};
    use wb_core::ledger::Ledger;
    use wb_core::work::CommitItem;

    /// A journal with one operation that wrote these units, in this order.
    fn wrote(units: impl Iterator<Item = u128>) -> (tempfile::TempDir, Journal, i64) {
        let dir = tempfile::tempdir().unwrap();
        let project = ProjectHash(Uuid::from_u128(9));
        let journal = Journal::open(dir.path()).unwrap();
        let run = Operation {
            kind: "run",
            ..Operation::default()
        };
        let op = journal.operate(project, &run, &[], 1).unwrap();
        let change = |(n, unit): (usize, u128)| Change {
            item: CommitItem {
                task: TaskId(Uuid::from_u128(n as u128)),
                stage: StageId(Uuid::from_u128(1)),
                data: DataHash(Uuid::from_u128(unit)),
                title: "t".into(),
                branch: "main".into(),
                before: None,
                labels_after: None,
                priority: Some(0.0),
                metadata: None,
                metadata_before: None,
                item: None,
                pathway: None,
            },
            to: None,
            direct: false,
            old_priority: Some(0.5),
            old_metadata: None,
            reverts: None,
        };
        let changes: Vec<Change> = units.enumerate().map(change).collect();
        let ids = journal.record(project, &changes, Millis(2)).unwrap();
        let ids: Vec<i64> = ids.into_iter().flatten().collect();
        let done = vec![Committed::Done; ids.len()];
        journal
            .end(&ids, &done, &vec![journal::Before::New; ids.len()], 3)
            .unwrap();
        (dir, journal, op)
    }

    const PIECE: u128 = CHUNK as u128;

    #[test]
    fn whole_pieces_of_different_units_go_beside_each_other_and_the_short_last_one_alone() {
        let (_dir, journal, op) = wrote(0..2 * PIECE + 5);
        let mut pieces = Pieces::new(&journal, op);
        let one = pieces.next(true).unwrap().unwrap();
        let two = pieces.next(false).unwrap().unwrap();
        assert!(one[0].id > two[0].id, "the newest first");
        assert!(pieces.next(false).unwrap().is_none());
        pieces.landed(&one);
        assert!(pieces.next(false).unwrap().is_none());
        pieces.landed(&two);
        assert_eq!(pieces.next(true).unwrap().unwrap().len(), 5);
        assert!(pieces.next(false).unwrap().is_none());
        assert!(pieces.next(true).unwrap().is_none());
    }

    #[test]
    fn an_older_write_of_a_unit_waits_until_the_newer_one_is_taken_back() {
        // The newest write and one of the older piece are of one unit.
        let (_dir, journal, op) = wrote((0..2 * PIECE - 1).chain([3]));
        let mut pieces = Pieces::new(&journal, op);
        let one = pieces.next(true).unwrap().unwrap();
        assert_eq!(one.len(), CHUNK);
        assert!(pieces.next(false).unwrap().is_none());
        pieces.landed(&one);
        assert_eq!(pieces.next(true).unwrap().unwrap().len(), CHUNK);
    }
}
