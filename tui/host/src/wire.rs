//! Work as the messages that a host receives.

use crate::link::Chunk;
use crate::pool::{Batch, Work};
use crate::proto::{ToHost, pack};
use std::io;
use std::sync::Arc;

/// The messages of a batch. The documents are shared, not copied.
///
/// # Errors
/// A message longer than its length can state.
pub(crate) fn chunks(batch: &Batch) -> io::Result<Vec<Chunk>> {
    let mut chunks = Vec::with_capacity(2 + 4 * batch.work.len());
    if let Some(project) = &batch.project {
        chunks.push(Chunk::Own(pack(&ToHost::Project, project.len())?));
        chunks.push(Chunk::Text(Arc::clone(project)));
    }
    for (ticket, work) in &batch.work {
        add(&mut chunks, work, *ticket)?;
    }
    Ok(chunks)
}

fn add(chunks: &mut Vec<Chunk>, work: &Work, ticket: u64) -> io::Result<()> {
    let job = match work {
        Work::Job(job) => job,
        Work::Preflight { number, .. } => {
            let job = *number;
            chunks.push(Chunk::Own(pack(&ToHost::Preflight { job, ticket }, 0)?));
            return Ok(());
        }
        Work::Ask(question) => {
            let (job, len) = (question.number, question.bytes.len());
            chunks.push(Chunk::Own(pack(&ToHost::Ask { job, ticket }, len)?));
            if len > 0 {
                chunks.push(Chunk::Question(Arc::clone(question)));
            }
            return Ok(());
        }
    };
    let fixed = [
        ("stage", &job.stage_json),
        ("task", &job.task_json),
        ("params", &job.params),
    ];
    let named = job.inputs.iter().map(|(name, json)| (&**name, json));
    let all: Vec<_> = fixed.into_iter().chain(named).collect();
    let header = ToHost::Run {
        job: job.job.0,
        ticket,
        agent: job.agent,
        attempt: job.attempt,
        build: job.build.0,
        pauses: job.pauses,
        parts: all
            .iter()
            .map(|(name, json)| ((*name).to_owned(), json.len()))
            .collect(),
    };
    chunks.push(Chunk::Own(pack(&header, job.size())?));
    let texts = all.into_iter().filter(|(_, json)| !json.is_empty());
    chunks.extend(texts.map(|(_, json)| Chunk::Text(Arc::clone(json))));
    Ok(())
}
