//! Events from upstream: the project, pages of tasks, counters.

use super::*;

/// Outages that last longer than this are reported, in milliseconds.
const REPORT_AFTER_MS: u64 = 2_000;

impl State {
    pub(super) fn upstream(&mut self, news: Upstream) -> Vec<Effect> {
        match news {
            Upstream::Project(project) => self.project_loaded(project),
            Upstream::ProjectFailed(error) => {
                self.complain(&error);
                match &self.project {
                    Some(_) => self.net_error = Some((error, self.now)),
                    None => self.project_error = Some(error),
                }
                self.names_read(false)
            }
            Upstream::Page {
                list,
                stage,
                rows,
                next,
            } => {
                self.net_error = None;
                match list {
                    ListId::Run(id) => self.run_page(id, stage, rows, next),
                    ListId::Queue(id) => self.queue_page(id, stage, rows, next),
                }
            }
            Upstream::PageFailed { list, stage, error } => self.page_failed(list, stage, error),
            Upstream::Known { stage, rows } => self.known(stage, rows),
            Upstream::KnownFailed { stage, error } => {
                self.complain(&error);
                if let Some(queue) = self.queues.get_mut(&stage) {
                    queue.asking = false;
                }
                Vec::new()
            }
            Upstream::Stats(net) => {
                self.net = net;
                Vec::new()
            }
            Upstream::Outage(outage) => {
                self.outage_changed(outage);
                Vec::new()
            }
        }
    }

    /// A single lost request is not worth a line; an outage that lasts is reported once, and so is its end.
    fn outage_changed(&mut self, outage: Option<Outage>) {
        match (&outage, &self.outage) {
            (Some(now), _)
                if !self.outage_reported && self.now.since(now.since) >= REPORT_AFTER_MS =>
            {
                self.outage_reported = true;
                let text = format!("waiting for the platform: {}", now.why);
                self.warn(Kind::Net, text, None);
            }
            (None, Some(before)) if self.outage_reported => {
                self.outage_reported = false;
                let s = self.now.since(before.since) / 1000;
                self.info(Kind::Net, format!("the platform answers again after {s} s"));
            }
            _ => {}
        }
        self.outage = outage;
    }

    pub(super) fn project_loaded(&mut self, project: Arc<Project>) -> Vec<Effect> {
        let mut project = project;
        if let Some(specification) = &self.options.specification {
            Arc::make_mut(&mut project)
                .workflow
                .learn_edges(specification);
        }
        let before = self.project.clone();
        let changed = self.take_project(project);
        self.project_error = None;
        self.return_held();
        let mut effects = match before {
            None if self.options.screen => self.list_all(),
            Some(before) if changed => self.project_changed(&before),
            _ => Vec::new(),
        };
        effects.extend(self.names_read(changed));
        effects.extend(self.claim_arrived());
        effects
    }

    /// Reads the project and lists every stage again.
    pub(super) fn refresh(&mut self) -> Vec<Effect> {
        let read = self.read_project();
        read.into_iter().chain(self.list_all()).collect()
    }

    /// Lists every stage again.
    pub(super) fn list_all(&mut self) -> Vec<Effect> {
        let stages = self.project.iter().flat_map(|p| &p.workflow.stages);
        let stages: Vec<StageId> = stages.map(|stage| stage.id).collect();
        let lists = stages.into_iter().filter_map(|stage| self.list(stage));
        lists.collect()
    }

    pub(super) fn list(&mut self, stage: StageId) -> Option<Effect> {
        let queue = self.queues.entry(stage).or_default();
        if queue.loading {
            return None;
        }
        self.lists += 1;
        queue.begin(self.lists, self.now);
        Some(Effect::Page {
            list: ListId::Queue(self.lists),
            stage,
            token: None,
            only: None,
            earlier: Arc::default(),
        })
    }

    pub(super) fn open_stage(&mut self, stage: StageId) -> Vec<Effect> {
        let known = self
            .queues
            .get(&stage)
            .is_some_and(|q| q.loading || q.loaded.is_some());
        if known {
            Vec::new()
        } else {
            self.list(stage).into_iter().collect()
        }
    }

    fn run_page(
        &mut self,
        id: u64,
        stage: StageId,
        rows: Vec<crate::work::TaskRow>,
        next: Option<String>,
    ) -> Vec<Effect> {
        let now = self.now;
        let run = self.run.as_mut();
        if let Some(run) = run.filter(|r| r.id == id && r.stage() == Some(stage)) {
            run.page(rows, next, now);
        }
        self.advance_run()
    }

    fn page_failed(&mut self, list: ListId, stage: StageId, error: Error) -> Vec<Effect> {
        self.complain(&error);
        self.net_error = Some((error.clone(), self.now));
        match list {
            ListId::Run(id) => {
                if let Some(run) = self.run.as_mut().filter(|r| r.id == id) {
                    run.page_failed(error);
                }
                self.advance_run()
            }
            ListId::Queue(id) => {
                let queue = self.queues.get_mut(&stage);
                if let Some(queue) = queue.filter(|q| q.listing == id) {
                    queue.loading = false;
                    queue.incoming = None;
                }
                Vec::new()
            }
        }
    }

    pub(super) fn queue_page(
        &mut self,
        id: u64,
        stage: StageId,
        rows: Vec<crate::work::TaskRow>,
        next: Option<String>,
    ) -> Vec<Effect> {
        if self.queues.get(&stage).is_none_or(|q| q.listing != id) {
            return Vec::new();
        }
        self.return_results(stage, &rows);
        if next.is_none() {
            self.results_are_back(stage);
        }
        let Some(queue) = self.queues.get_mut(&stage) else {
            return Vec::new();
        };
        queue.page(rows, next.is_none(), self.now, &self.results);
        let more = next.map(|token| Effect::Page {
            list: ListId::Queue(id),
            stage,
            token: Some(token),
            only: None,
            earlier: Arc::default(),
        });
        more.into_iter().chain(self.know(stage)).collect()
    }
}
