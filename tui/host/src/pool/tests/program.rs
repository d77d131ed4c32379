//! What the program does with the pool of a [`World`].

use super::*;

impl World {
    pub(super) fn probed(build: u32, flags: u32) -> Probed {
        let agent = |flags| AgentDescriptor {
            flags,
            ..AgentDescriptor::default()
        };
        Probed {
            id: ProbeId::default(),
            library: format!("lib{build}.so").into(),
            copy: format!("copies/{build}").into(),
            hash: String::new(),
            size: 0,
            modified: Millis(0),
            descriptor: Descriptor {
                preflight: true,
                agents: vec![agent(0), agent(flags)],
                ..Descriptor::default()
            },
        }
    }

    /// Agent 0 has no flags, agent 1 runs one task at a time.
    pub(super) fn activate(&mut self, build: u32) {
        let mut probed = Box::new(Self::probed(build, flags::NO_PARALLEL));
        let announced = self.events.iter().find_map(|event| match event {
            HostEvent::Probed(seen) if seen.copy == probed.copy => Some(seen.id),
            _ => None,
        });
        probed.id = announced.unwrap_or_default();
        let build = BuildId(build);
        self.on(News::Activate { build, probed });
    }

    pub(super) fn rest(&mut self, build: u32) {
        let build = BuildId(build);
        self.on(News::Rest { build });
    }

    pub(super) fn retire(&mut self, build: u32) {
        self.retired.insert(BuildId(build));
        let build = BuildId(build);
        self.on(News::Retire { build });
    }

    pub(super) fn request(&mut self, build: u32, priority: Priority) -> JobRequest {
        self.last_job += 1;
        self.accepted.insert(self.last_job);
        JobRequest {
            job: JobId(self.last_job),
            build: BuildId(build),
            agent: 0,
            attempt: 1,
            stage_json: "{}".into(),
            task_json: "{}".into(),
            params: "".into(),
            inputs: Vec::new(),
            deadline: None,
            pauses: false,
            label: "cam_03.jpg".into(),
            priority,
        }
    }

    pub(super) fn run(&mut self, build: u32) -> u64 {
        self.run_as(build, Priority::Bulk)
    }

    pub(super) fn run_as(&mut self, build: u32, priority: Priority) -> u64 {
        self.run_with(build, priority, |_| {})
    }

    pub(super) fn run_with(
        &mut self,
        build: u32,
        priority: Priority,
        change: impl FnOnce(&mut JobRequest),
    ) -> u64 {
        let mut request = self.request(build, priority);
        change(&mut request);
        let job = request.job.0;
        self.on(News::Run(vec![request]));
        job
    }

    /// Jobs that come together.
    pub(super) fn run_all(&mut self, jobs: usize) -> Vec<u64> {
        let requests: Vec<_> = (0..jobs).map(|_| self.request(1, Priority::Bulk)).collect();
        let numbers = requests.iter().map(|r| r.job.0).collect();
        self.on(News::Run(requests));
        numbers
    }

    pub(super) fn stop(&mut self, job: u64, kill: bool) {
        let job = JobId(job);
        self.on(News::Stop { job, kill });
    }

    pub(super) fn probe(&mut self, library: &str, copy: &str) {
        self.on(News::Probe(Probe {
            id: ProbeId::default(),
            library: library.into(),
            copy: StagedCopy::foreign(copy.into()),
            hash: copy.into(),
            size: 0,
            modified: Millis(0),
        }));
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now += time;
        let due = |p: &Process| p.status.alarm.is_some_and(|at| at <= self.now);
        let hosts = self.hosts.iter().filter(|(_, p)| due(p));
        for id in hosts.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.on_host(id, HostNews::Alarm);
        }
    }
}
