//! What the hosts of a [`World`] do, one step at a time.

use super::*;

impl World {
    pub(super) fn spawn(&mut self) {
        self.spawns -= 1;
        self.last_host += 1;
        let host = self.last_host;
        self.hosts.insert(host, Process::default());
        self.on(News::Spawned { host, pid: 1 });
    }

    pub(super) fn greet(&mut self, id: HostId) {
        self.host(id).greeted = true;
        let pid = 1000 + u32::try_from(id).unwrap();
        let hello = HostNews::Hello {
            protocol: PROTOCOL,
            pid,
            stack_low: STACK,
        };
        self.on_host(id, hello);
    }

    pub(super) fn load(&mut self, id: HostId) {
        self.host(id).opens = false;
        self.host(id).opened = true;
        let descriptor = Box::default();
        let base = BASE;
        self.on_host(id, HostNews::Loaded { descriptor, base });
    }

    /// The host begins what is next, or returns it because it was recalled.
    pub(super) fn begin(&mut self, id: HostId) {
        let process = self.host(id);
        assert!(process.running.is_none(), "one at a time");
        let (ticket, work) = process.inbox.pop_front().expect("work");
        process.begun = ticket;
        if ticket <= process.taken {
            return self.on_host(id, HostNews::TakenBack { ticket });
        }
        process.job = work.number();
        process.running = Some(work.clone());
        let number = work.number();
        let mut others = self
            .hosts
            .iter()
            .filter(|(other, p)| **other != id && !p.killed);
        let twice = others.any(|(_, p)| p.running.as_ref().is_some_and(|w| w.number() == number));
        assert!(!twice, "{number} runs twice");
        self.begun.push(number);
    }

    pub(super) fn done(job: u64, run_ns: u64) -> Done {
        Done {
            job,
            status: 0,
            kind: 1,
            run_ns,
            defect: None,
            printed: None,
        }
    }

    pub(super) fn finish(&mut self, id: HostId, run_ns: u64) {
        let work = self.host(id).running.take().expect("running work");
        let news = HostNews::Done {
            done: Self::done(work.number(), run_ns),
            written: Vec::new(),
            claims: self.claims(id),
        };
        self.on_host(id, news);
    }

    pub(super) fn claims(&self, id: HostId) -> LastWords {
        let process = &self.hosts[&id];
        LastWords {
            phase: if process.running.is_some() {
                Phase::Run
            } else {
                Phase::Idle
            },
            job: process.job,
            begun: process.begun,
            signal: 0,
            address: 0,
            pc: 0,
            stack_low: STACK,
            frames: Vec::new(),
        }
    }

    pub(super) fn die(&mut self, id: HostId) {
        let killed = self.host(id).killed;
        let signal = if killed { libc::SIGKILL } else { libc::SIGSEGV };
        let words = self.claims(id);
        self.on_host(id, HostNews::Gone);
        let death = Death {
            exit: Exit::Signal(signal),
            words,
            used: 0,
            by_system: false,
            tail: Vec::new(),
        };
        self.on_host(id, HostNews::Died(Box::new(death)));
    }

    /// Does everything that is not work: hosts start, open libraries, leave and die.
    pub(super) fn settle(&mut self) {
        loop {
            let next = self.hosts.iter().find_map(|(id, p)| {
                let step: fn(&mut Self, HostId) = match p {
                    p if p.killed || p.leaving => Self::die,
                    p if !p.greeted => Self::greet,
                    p if p.opens => Self::load,
                    _ => return None,
                };
                Some((*id, step))
            });
            match next {
                Some((id, step)) => step(self, id),
                None if self.spawns > 0 => self.spawn(),
                None => return,
            }
        }
    }

    /// Begins and ends all the work there is, in one host after the other.
    pub(super) fn finish_all(&mut self) {
        self.settle();
        while let Some(id) = self.with_work().first().copied() {
            if self.host(id).running.is_some() {
                self.finish(id, QUICK);
            } else {
                self.begin(id);
            }
            self.settle();
        }
    }
}
