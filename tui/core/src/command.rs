//! Every command in one slice: keys, palette, help, the README's table and `workbench keys` are
//! made from it. What a command does is left to the engine ([`Command`]) and to the panes.

use crate::ids::{StageId, TaskId};
use crate::run::{OnConflict, RunSpec};
use crate::work::TaskRow;

/// A wish with its argument, as the engine understands it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Leave; what runs is cancelled and left in place.
    Quit,
    /// Stop for the shell, until it goes on with this program.
    Suspend,
    /// List every stage again, or one.
    Refresh(Option<StageId>),
    /// Load the queue of a stage.
    OpenStage(StageId),
    /// Show only tasks that match; the text as typed.
    Filter {
        /// Stage.
        stage: StageId,
        /// Filter language.
        text: String,
    },
    /// Next sort order of a queue.
    Sort(StageId),
    /// Mark or unmark tasks.
    Mark {
        /// Stage.
        stage: StageId,
        /// Which.
        tasks: Vec<TaskId>,
        /// On or off.
        on: bool,
    },
    /// Mark all tasks that match the filter, or none.
    MarkAll {
        /// Stage.
        stage: StageId,
        /// On or off.
        on: bool,
    },
    /// Open a task for stepping: its inputs are fetched, its agent is not called yet.
    Open {
        /// Stage.
        stage: StageId,
        /// Task.
        task: TaskId,
    },
    /// The next step of the open task.
    Step,
    /// All steps up to the outcome.
    ToEnd,
    /// The same inputs again on the newest build.
    Rerun,
    /// Throw the open task's outcome away.
    Discard,
    /// Keep the open task's outcome for review.
    Accept,
    /// Kill the host of the open task.
    KillJob,
    /// Start a run.
    Run(Box<RunSpec>),
    /// Pause or go on.
    PauseRun,
    /// Stop taking tasks; what runs finishes.
    CancelRun,
    /// The run's time is up: what is decided is committed, what has not begun is left.
    WindUp,
    /// Agents of the run that still run are stopped too.
    StopAgents,
    /// More or fewer jobs at a time.
    Concurrency(i32),
    /// This many jobs at a time.
    SetConcurrency(usize),
    /// Requests a second from now on; `None` is unlimited.
    Rate(Option<f64>),
    /// Limit of one attempt in milliseconds from the next attempt on, before the agent's own;
    /// `None`: the agent's own, or the one of the settings.
    Timeout(Option<u64>),
    /// Limit of one attempt in milliseconds where the agent declares none.
    DefaultTimeout(Option<u64>),
    /// Run tasks that failed once more, as the newest run did.
    Retry {
        /// Stage.
        stage: StageId,
        /// Which.
        rows: Vec<TaskRow>,
    },
    /// Run tasks dry at every build from now on, or no longer.
    Watch {
        /// Stage.
        stage: StageId,
        /// Which.
        rows: Vec<TaskRow>,
        /// On or off.
        on: bool,
    },
    /// Run watched tasks again now.
    WatchAgain(Vec<TaskId>),
    /// Newer builds are compared with what is there now, or each with the one before it.
    KeepWatchResults(bool),
    /// Keep what the newest build gave for a watched task for review.
    HoldWatched(TaskId),
    /// Look at what others made of these tasks in conflict.
    Theirs(Vec<TaskId>),
    /// Answers conflicts: leave theirs, run again on theirs, or write ours over theirs.
    Resolve {
        /// Which.
        tasks: Vec<TaskId>,
        /// How.
        how: OnConflict,
    },
    /// Read the journal.
    Journal,
    /// Read the journal and look at what an undo of the newest operation that stands would restore.
    UndoNewest,
    /// Look at the tasks of an operation.
    OpenOp(i64),
    /// Look at what an undo of an operation would restore; nothing is written.
    ReviewUndo(i64),
    /// Take an operation back.
    Undo(i64),
    /// Finish what interrupted commands of this folder had begun to write.
    Finish,
    /// Does a command that writes to a protected project, with its title as it was typed.
    Confirm {
        /// The title.
        title: String,
        /// The command.
        then: Box<Command>,
    },
    /// Take or leave held outcomes.
    Take {
        /// Which.
        tasks: Vec<TaskId>,
        /// Take or leave.
        on: bool,
    },
    /// Throw held outcomes away.
    Drop(Vec<TaskId>),
    /// Write these held outcomes upstream.
    Commit(Vec<TaskId>),
    /// Dry-run or live.
    Live(bool),
}

/// Where a key counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In lists.
    List,
    /// Flow screen.
    Flow,
    /// Queue screen.
    Queue,
    /// Task screen.
    Task,
    /// Run screen.
    Run,
    /// Review overlay.
    Review,
    /// Conflicts overlay.
    Conflicts,
    /// Journal overlay.
    Journal,
    /// Watch overlay.
    Watch,
}

impl Scope {
    /// Heading in help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::List => "In lists",
            Self::Flow => "Flow",
            Self::Queue => "Queue",
            Self::Task => "Task",
            Self::Run => "Run",
            Self::Review => "Review",
            Self::Conflicts => "Conflicts",
            Self::Journal => "Journal",
            Self::Watch => "Watch",
        }
    }
}

macro_rules! verbs {
    ($( $verb:ident $scope:ident [$($key:literal)*] $writes:literal $name:literal $help:literal )*) => {
        /// What a key or a palette entry means, before it has an argument.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Verb { $( #[doc = $help] $verb, )* }

        /// Every command there is.
        pub const COMMANDS: &[Entry] = &[ $( Entry {
            verb: Verb::$verb, scope: Scope::$scope, keys: &[$($key),*],
            writes: $writes, name: $name, help: $help,
        }, )* ];
    };
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it means.
    pub verb: Verb,
    /// Where its keys count.
    pub scope: Scope,
    /// Keys as written in help: `s`, `Ctrl-d`, `Enter`, `Space`, `F1`.
    pub keys: &'static [&'static str],
    /// Whether it writes upstream; read-only mode takes exactly these away.
    pub writes: bool,
    /// Name in the palette.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
}

verbs! {
    ShowFlow    Global ["1"] false "flow" "Flow: the workflow graph and its counts"
    ShowQueue   Global ["2"] false "queue" "Queue: the tasks of the selected stage"
    ShowTask    Global ["3"] false "task" "Task: step through one task"
    ShowRun     Global ["4"] false "run" "Run: many tasks at once"
    In          Global ["Enter"] false "in" "One level in: stage, task"
    Out         Global ["Esc"] false "out" "One level out; closes what is open; never quits"
    NextPane    Global ["Tab"] false "next pane" "Next pane or tab"
    PrevPane    Global ["BackTab"] false "previous pane" "Previous pane or tab"
    Help        Global ["?" "F1"] false "help" "Keys that work here; once more: all keys"
    Palette     Global [":" "Ctrl-p"] false "palette" "Find a command, a stage or a task by name"
    Builds      Global ["b"] false "builds" "Builds: every one seen, and what became of it"
    Messages    Global ["M"] false "messages" "Everything that was said so far"
    Review      Global ["v"] false "review" "Review what is held, then commit it"
    Conflicts   Global ["!"] false "conflicts" "Rows that somebody else changed: both sides, and the answer"
    Journal     Global ["J"] false "journal" "What was written from this folder; take it back"
    Watching    Global ["W"] false "watched" "Watch: tasks that run dry again at every build, and what changed"
    UndoLast    Global ["u"] false "undo" "Take the newest operation back (shows it first, then asks)"
    Rate        Global ["L"] false "rate" "Requests a second, from now on"
    Timeout     Global ["T"] false "time limit" "Limit of one attempt, from the next attempt on"
    Mode        Global ["m"] false "mode" "Dry-run or live (asks before it goes live)"
    Copy        Global ["y"] false "copy" "Copy what the cursor is on: UUIDs, a value, a fault"
    CopyCommand Global ["Y"] false "copy the command" "Copy the command that does the same in a shell"
    Refresh     Global ["R" "F5"] false "refresh" "List every stage again"
    Quit        Global ["q" "Ctrl-c"] false "quit" "Leave; asks when something runs"
    Suspend     Global ["Ctrl-z"] false "to the shell" "To the shell; fg comes back"
    Up          List ["k" "Up"] false "up" "Up"
    Down        List ["j" "Down"] false "down" "Down"
    Left        List ["h" "Left"] false "left" "Left, or the earlier event"
    Right       List ["l" "Right"] false "right" "Right, or the later event"
    Top         List ["g" "Home"] false "top" "First"
    Bottom      List ["G" "End"] false "bottom" "Last"
    PageUp      List ["Ctrl-u" "PageUp"] false "page up" "A page up"
    PageDown    List ["Ctrl-d" "PageDown"] false "page down" "A page down"
    Filter      List ["/"] false "filter" "Filter while typing: title, status:new, age>2d, -result:ok"
    StepFirst   Flow ["s"] false "step the first" "Step the first task of the stage"
    RunSome     Flow ["n"] false "dry-run some" "Run N tasks of the stage; every write is held"
    RunEvery    Flow ["N"] false "dry-run all" "Run all tasks of the stage; every write is held"
    Drawing     Flow ["d"] false "drawing or list" "Draw the graph, or list the stages"
    Step        Queue ["s"] false "step" "Step this task"
    Mark        Queue ["Space"] false "mark" "Mark or unmark, and go one down"
    MarkAll     Queue ["A"] false "mark all" "Mark all that match"
    MarkNone    Queue ["a"] false "mark none" "Unmark all"
    RunMarked   Queue ["n" "x"] false "dry-run marked" "Run the marked tasks, or N of those that match; every write is held"
    RunMatching Queue ["N"] false "dry-run matching" "Run all that match; every write is held"
    WatchTask   Queue ["w"] false "watch" "Run this task, or the marked ones, dry at every build; or no longer"
    Preview     Queue ["i"] false "picture" "Show the picture of the task, or not"
    Sort        Queue ["S"] false "sort" "Next sort order"
    StepOn      Task ["s"] false "next step" "The next step: fetch, inputs, call, outcome, review"
    ToEnd       Task ["c"] false "to the end" "All steps up to the outcome"
    Rerun       Task ["x"] false "run again" "Run again from the same inputs on the newest build"
    Discard     Task ["X"] false "discard" "Throw this outcome away"
    Accept      Task ["a"] false "accept" "Hold this outcome for review"
    CommitTask  Task ["C"] true "commit task" "Commit this task (asks)"
    KillJob     Task ["K"] false "kill" "Kill the host of this task"
    NextTask    Task ["]"] false "next task" "Step the next task of the queue"
    PrevTask    Task ["["] false "previous task" "Step the previous task of the queue"
    WatchOpen   Task ["w"] false "watch this task" "Run this task dry at every build; or no longer"
    Image       Task ["i"] false "image" "Show the picture, or not"
    Pause       Run ["p"] false "pause" "Pause, or go on"
    More        Run ["+"] false "more jobs" "One more job at a time"
    Fewer       Run ["-"] false "fewer jobs" "One job fewer at a time"
    CancelRun   Run ["X"] false "cancel run" "Take no further tasks; what runs finishes"
    RetryGroup  Run ["x"] false "retry failed" "Run the tasks of this failure again"
    RetryAll    Run ["A"] false "retry all failed" "Run all tasks that failed again"
    WatchFailed Run ["w"] false "watch failed" "Run the tasks of this failure dry at every build"
    StepFailed  Run ["s"] false "step failed" "Step into the first task of this failure"
    Toggle      Review ["Space"] false "take or leave" "Take or leave this group or task"
    CommitAll   Review ["C"] true "commit" "Commit everything taken (asks)"
    DropAll     Review ["X"] false "drop" "Throw this group away; nothing is written"
    Skip        Conflicts ["t"] false "leave theirs" "Leave theirs: our outcome is thrown away"
    RerunTheirs Conflicts ["r"] false "run again on theirs" "Run the agent again on what is there now"
    Overwrite   Conflicts ["O"] true "overwrite theirs" "Write our labels over theirs (asks)"
    AllOfGroup  Conflicts ["Space"] false "one or all" "Answer for this task, or for all of its stage"
    StepWatched Watch ["s"] false "step watched" "Step this task"
    Again       Watch ["x"] false "run watched again" "Run this task again now, from the same inputs"
    KeepWatchResults   Watch ["p"] false "compare with this build" "Compare newer builds with this one; once more: each with the last"
    HoldWatched Watch ["a"] false "hold watched" "Hold what the newest build gave for review"
    Unwatch     Watch ["w"] false "unwatch" "Watch this task no longer"
    UnwatchAll  Watch ["X"] false "unwatch all" "Watch none"
    FinishOp    Journal ["F"] true "finish interrupted" "Finish what an interrupted command had begun to write (asks)"
    UndoOp      Journal ["U"] true "undo operation" "Take this operation back (shows what, then asks)"
}

/// The line of the table for a verb.
#[must_use]
pub fn entry(verb: Verb) -> &'static Entry {
    COMMANDS
        .iter()
        .find(|e| e.verb == verb)
        .unwrap_or(&COMMANDS[0])
}

/// What a key means: `scopes` from the most special to the most general.
#[must_use]
pub fn find(key: &str, scopes: &[Scope]) -> Option<Verb> {
    scopes.iter().find_map(|scope| {
        COMMANDS
            .iter()
            .find(|e| e.scope == *scope && e.keys.contains(&key))
            .map(|e| e.verb)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for a in COMMANDS {
            for b in COMMANDS {
                let same = a.scope == b.scope && a.keys.iter().any(|k| b.keys.contains(k));
                assert!(!same || a.verb == b.verb, "{:?} and {:?}", a.verb, b.verb);
            }
        }
    }

    #[test]
    fn a_key_of_the_screen_goes_before_the_same_key_elsewhere() {
        assert_eq!(
            find("s", &[Scope::Task, Scope::List, Scope::Global]),
            Some(Verb::StepOn)
        );
        assert_eq!(
            find("q", &[Scope::Task, Scope::List, Scope::Global]),
            Some(Verb::Quit)
        );
        assert_eq!(find("ü", &[Scope::Task, Scope::Global]), None);
    }

    #[test]
    fn every_writing_command_has_an_upper_case_key() {
        for e in COMMANDS.iter().filter(|e| e.writes) {
            assert!(
                e.keys.iter().all(|k| k.chars().all(char::is_uppercase)),
                "{}",
                e.name
            );
        }
    }
}
