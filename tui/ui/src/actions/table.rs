//! The table. A row: action, scope, default keys, name, help; then when it is enabled, its hint and
//! what it does. Actions of overlays are done by the overlay's layer.

use super::can_step::*;
use super::enabled::*;
use super::{ActionRow, Scope};
use crate::overlays::{
    builds, columns, compare, groups, help, journal, messages, palette, review, watch,
};
use crate::picture::FrameStep;
use crate::{Screen, Ui};
use wb_core::command::Command;

macro_rules! actions {
    ($( $action:ident $scope:ident [$($key:literal)*] $name:literal $help:literal
        $( .$part:ident($($value:expr)?) )* ; )*) => {
        /// What a key or a palette entry means, before it has an argument.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Action { $( #[doc = $help] $action, )* }

        impl Action {
            /// The action of this Rust name, as `{key:…}` placeholders write it.
            #[must_use]
            pub fn from_variant(name: &str) -> Option<Self> {
                match name {
                    $( stringify!($action) => Some(Self::$action), )*
                    _ => None,
                }
            }
        }

        /// Every action there is, in the order of [`Action`].
        pub const ACTIONS: &[ActionRow] = &[ $(
            ActionRow::new(Action::$action, Scope::$scope, &[$($key),*], $name, $help)
                $( .$part($($value)?) )*,
        )* ];
    };
}

actions! {
    ShowFlow    Global ["1"] "flow" "Show the workflow graph and its counts"
        .closes() .does(|ui, _| ui.go(Screen::Flow));
    ShowQueue   Global ["2"] "queue" "Show the tasks of the selected stage"
        .closes() .does(|ui, _| ui.go(Screen::Queue));
    ShowTask    Global ["3"] "task" "Show one task, to step through it"
        .closes() .does(|ui, _| ui.go(Screen::Task));
    ShowRun     Global ["4"] "run" "Show the run of many tasks"
        .closes() .does(|ui, _| ui.go(Screen::Run));
    In          Global ["Enter"] "in" "Go one level in: stage, task"
        .unlisted() .hint(|ui, _| (ui.screen == Screen::Flow).then(|| "queue".into()));
    Out         Global ["Esc"] "out" "Go one level out, or close what is open; never quits"
        .unlisted() .hint(|ui, s| Some(out_word(ui, s).into()));
    NextPane    Global ["Tab"] "next pane" "Go to the next pane: the bright frame shows where keys act"
        .unlisted() .stays() .hint(|ui, _| (ui.pane_count() > 1).then(|| "next pane".into()))
        .does(|ui, _| ui.go_pane(true));
    PrevPane    Global ["BackTab"] "previous pane" "Go to the previous pane"
        .unlisted() .stays() .does(|ui, _| ui.go_pane(false));
    Zoom        Global ["z"] "zoom" "Show the pane with the bright frame alone, or all panes again"
        .stays() .when(has_panes) .hint(|ui, _| Some(if ui.zoomed() { "all panes" } else { "zoom" }.into()))
        .does(Ui::zoom);
    Help        Global ["?" "F1"] "help" "List the keys that work here; press again for all keys"
        .stays() .hint(|_, _| Some("help".into()))
        .does(|ui, _| ui.open(help::Help::new(ui)));
    Palette     Global [":" "Ctrl-p"] "palette" "Find an action, a stage or a task by name"
        .asks() .unlisted() .closes() .hint(|_, _| Some("commands".into()))
        .does(|ui, state| ui.open(palette::Palette::new(ui, state)));
    Builds      Global ["b"] "builds" "List every build seen and its result"
        .closes() .hint(|_, _| Some("builds".into())) .does(|ui, _| ui.open(builds::Builds::default()));
    Messages    Global ["M"] "messages" "Message log"
        .closes() .hint(|_, _| Some("messages".into())) .does(|ui, _| ui.open(messages::Messages::default()));
    Review      Global ["v"] "review" "Review held outcomes, then commit them"
        .closes() .hint(|_, s| counted("review", s.held.len())) .does(|ui, _| ui.open(review::Review::default()));
    Conflicts   Global ["!"] "conflicts" "Conflicts: compare both versions and choose"
        .closes() .hint(|_, s| counted("conflicts", s.conflicts.len())) .does(Ui::open_conflicts);
    Journal     Global ["J" "H"] "journal" "Show what was written from this folder, and undo it"
        .closes() .hint(|_, _| Some("journal".into())) .does(|ui, _| journal::open(ui, false));
    Watching    Global ["W"] "watched" "Watched tasks: dry-run at every build, with what changed"
        .closes() .hint(|_, s| (!s.watch.is_empty()).then(|| "watch".into()))
        .does(|ui, _| ui.open(watch::Watch::default()));
    Compare     Global ["="] "compare" "Compare builds, held outcomes, upstream or earlier runs over the tasks of the stage"
        .closes() .hint(|_, s| s.comparing.is_some().then(|| "comparison".into()))
        .does(|ui, s| { let layer = compare::Compare::new(ui, s); ui.open(layer); compare::opened() });
    UndoLast    Global ["u"] "undo" "Undo the newest operation (shows it first, then asks)"
        .closes() .hint(|_, _| Some("preview the undo".into())) .does(|ui, _| journal::open(ui, true));
    Rate        Global ["L"] "rate" "Limit requests per second from now on"
        .asks() .stays() .hint(|_, _| Some("rate".into())) .does(Ui::ask_rate);
    Timeout     Global ["T"] "time limit" "Limit the time of one attempt, from the next attempt on"
        .asks() .stays() .hint(|_, _| Some("time limit".into())) .does(Ui::ask_timeout);
    Mode        Global ["m"] "mode" "Switch between HOLD and LIVE (asks before it goes live)"
        .when(writable) .hint(|_, _| Some("mode…".into())) .does(Ui::switch_mode);
    Copy        Global ["y"] "copy" "Copy what the cursor is on: UUIDs, a value, an error"
        .stays() .does(Ui::copy_value);
    CopyCommand Global ["Y"] "copy the command" "Copy the shell command that does the same"
        .stays() .hint(|_, _| Some("copy the command".into())) .does(Ui::copy_command);
    Edit        Global ["E"] "edit" "Open the editor at the error, or at the agent"
        .stays() .hint(|_, _| Some("editor".into())) .does(Ui::edit);
    Browse      Global ["o"] "open page" "Open this task in Encord's label editor, and copy its address"
        .stays() .does(Ui::browse);
    PrevFrame   Global ["<"] "previous frame" "Show the previous frame, image of the group or page"
        .stays() .when(frames_in_sight) .hint(|_, _| Some("".into())).does(|ui, _| ui.go_frame(FrameStep::Previous));
    NextFrame   Global [">"] "next frame" "Show the next frame, image of the group or page"
        .stays() .when(frames_in_sight) .hint(|_, _| Some("frame".into())).does(|ui, _| ui.go_frame(FrameStep::Next));
    GoToFrame   Global ["#"] "go to frame" "Show the frame, image of the group or page with a number"
        .stays() .when(frames_in_sight) .hint(|_, _| Some("go to frame".into())).does(Ui::ask_frame);
    Mouse       Global ["Ctrl-t"] "mouse" "Leave the mouse to the terminal, to select text with it; press again to take it back"
        .stays() .does(Ui::turn_mouse);
    Refresh     Global ["R" "F5"] "refresh" "Read project and stages again"
        .stays() .hint(|_, s| Some(if s.project.is_none() { "try again" } else { "refresh" }.into()))
        .does(|_, _| vec![Command::Refresh(None)]);
    Tutorial    Global ["F2"] "tutorial" "Explain the first step, outcome and commit again"
        .stays() .does(|ui, _| ui.show_cards_again());
    Quit        Global ["q" "Ctrl-c"] "quit" "Quit; asks while something is running or held"
        .stays() .hint(|_, _| Some("quit".into())) .does(Ui::quit);
    Suspend     Global ["Ctrl-z"] "suspend" "Suspend (resume with `fg`)"
        .stays() .does(|_, _| vec![Command::Suspend]);
    Up          List ["k" "Up"] "up" "Up" .hint(|_, _| Some("".into()));
    Down        List ["j" "Down"] "down" "Down" .hint(|_, _| Some("move".into()));
    Left        List ["h" "Left"] "left" "Left, or the earlier event";
    Right       List ["l" "Right"] "right" "Right, or the later event" .hint(|_, _| Some("event".into()));
    Top         List ["g" "Home"] "top" "Go to the first row";
    Bottom      List ["G" "End"] "bottom" "Go to the last row";
    PageUp      List ["PageUp"] "page up" "A page of the pane up";
    PageDown    List ["PageDown"] "page down" "A page of the pane down";
    HalfUp      List ["Ctrl-u"] "half a page up" "Half a page of the pane up";
    HalfDown    List ["Ctrl-d"] "half a page down" "Half a page of the pane down";
    Search      List ["/"] "search" "Search in the text in sight: logs, JSON, messages; small letters find both cases"
        .stays() .when(can_search) .hint(|_, _| Some("search".into())) .does(Ui::search);
    FoldJson    List ["Space"] "fold json" "Fold or open the list or object of JSON that begins on this line"
        .unlisted() .stays() .when(can_fold_json) .hint(|_, _| Some("fold".into()));
    FoldAllJson List ["Z"] "fold all json" "Fold all lists and objects of JSON, or open all"
        .unlisted() .stays() .when(can_fold_json) .hint(|_, _| Some("fold all".into()));
    NextMatch   Search ["n"] "next match" "Go to the next match; after the last one from the top"
        .stays() .unlisted() .when(searching) .hint(|_, _| Some("next".into())) .does(|ui, _| ui.turn_match(true));
    PrevMatch   Search ["N"] "previous match" "Go to the match before; before the first one from the end"
        .stays() .unlisted() .when(searching) .hint(|_, _| Some("previous".into())) .does(|ui, _| ui.turn_match(false));
    StepFirst   Flow ["s"] "step the first" "Step the first task of the stage"
        .when(first_task) .hint(|_, _| Some("step".into())) .does(|ui, s| ui.step_task(true, s));
    RunSome     Flow ["n"] "dry-run some" "Run N tasks of the stage; every write is held"
        .asks() .when(can_run) .hint(|_, s| Some(if s.writes_at_once() { "run…" } else { "dry-run 50" }.into()))
        .does(|ui, _| ui.ask_how_many(false));
    RunEvery    Flow ["N"] "dry-run all" "Run all tasks of the stage; every write is held"
        .when(can_run) .hint(|_, _| Some("run all…".into())) .does(|ui, s| ui.run_all(false, s));
    Drawing     Flow ["d"] "drawing or list" "Switch between the drawn graph and a list of stages"
        .hint(|ui, _| Some(if ui.flow.lists(ui.room) { "drawing" } else { "list" }.into()))
        .does(Ui::turn_drawing);
    FilterStages Flow ["/"] "filter stages" "Show only the stages whose title or kind has the words that are typed"
        .asks() .hint(|ui, _| ui.filters_stages().then(|| "filter".into())) .does(Ui::filter_stages);
    Fold        Flow ["f"] "fold" "Fold the connected stages without agents around this one into one box, or unfold them"
        .when(can_fold) .hint(|ui, _| Some(if ui.flow.is_folded(ui.stage) { "unfold" } else { "fold" }.into()))
        .does(Ui::fold);
    FoldAll     Flow ["F"] "fold all" "Fold all groups of connected stages without agents, or unfold them"
        .when(can_fold_all).does(Ui::fold_all);
    PanLeft     Flow ["Alt-h"] "pan left" "Move the drawing to see what is further left"
        .when(is_drawn) .does(|ui, _| ui.pan(Action::PanLeft));
    PanRight    Flow ["Alt-l"] "pan right" "Move the drawing to see what is further right"
        .when(is_drawn) .does(|ui, _| ui.pan(Action::PanRight));
    PanUp       Flow ["Alt-k"] "pan up" "Move the drawing to see what is further up"
        .when(is_drawn) .does(|ui, _| ui.pan(Action::PanUp));
    PanDown     Flow ["Alt-j"] "pan down" "Move the drawing to see what is further down"
        .when(is_drawn) .does(|ui, _| ui.pan(Action::PanDown));
    Filter      Queue ["/"] "filter" "Filter while typing: title, status:new, age>2d, -result:ok"
        .asks() .hint(|_, _| Some("filter".into())) .does(Ui::begin_filter);
    Step        Queue ["s"] "step" "Step this task"
        .when(selected) .hint(|_, _| Some("step".into())) .does(|ui, s| ui.step_task(false, s));
    Mark        Queue ["Space"] "mark" "Mark or unmark, and go one down"
        .hint(|_, _| Some("mark".into())) .does(Ui::mark);
    MarkAll     Queue ["A"] "mark all" "Mark all that match"
        .hint(|_, _| Some("mark all".into())) .does(|ui, _| ui.mark_all(true));
    MarkDown    Queue ["J"] "mark downwards" "Mark this task and the next one, and go there"
        .when(listed) .does(|ui, s| ui.mark_range(true, s));
    MarkUp      Queue ["K"] "mark upwards" "Mark this task and the one above, and go there"
        .when(listed) .does(|ui, s| ui.mark_range(false, s));
    MarkNone    Queue ["a"] "mark none" "Unmark all"
        .does(|ui, _| ui.mark_all(false));
    RunMarked   Queue ["n" "x"] "dry-run marked" "Run the marked tasks, or N of those that match; every write is held"
        .asks() .when(can_run) .hint(|_, s| Some(if s.writes_at_once() { "run…" } else { "dry-run" }.into()))
        .does(Ui::run_marked);
    RunMatching Queue ["N"] "dry-run matching" "Run all that match; every write is held"
        .when(can_run) .hint(|_, _| Some("run all…".into())) .does(|ui, s| ui.run_all(true, s));
    WatchTask   Queue ["w"] "watch" "Dry-run this task, or the marked ones, at every build; press again to stop"
        .when(|ui, s| can_watch(ui, s, Action::WatchTask, "no task is listed here"))
        .hint(|ui, s| watch_word(ui, s, Action::WatchTask)) .does(|ui, s| ui.watch(Action::WatchTask, s));
    Preview     Queue ["i"] "picture" "Show or hide the picture of the task"
        .hint(|_, _| Some("picture".into())) .does(Ui::turn_preview);
    Sort        Queue ["S"] "sort" "Use the next sort order; a click on the name of a column sorts by it"
        .hint(|_, _| Some("sort".into())) .does(Ui::next_sort);
    Reverse     Queue ["I"] "reverse" "Turn the sort order round"
        .does(Ui::reverse_sort);
    Columns     Queue ["c"] "columns" "Choose the columns of the table"
        .hint(|_, _| Some("columns".into())) .does(|ui, _| ui.open(columns::ColumnList::default()));
    Groups      Queue ["g"] "groups" "Count the tasks by failure, route, assignee, status or metadata; filter or mark one"
        .hint(|_, _| Some("groups".into())) .does(|ui, s| ui.open(groups::Groups::new(ui, s)));
    StepOn      Task ["s"] "next step" "Do the next step: fetch, inputs, dependency, checkpoint, outcome, review"
        .when(can_step_on) .hint(|_, _| Some("step".into())) .does(Ui::step_on);
    ToEnd       Task ["c"] "to the end" "Do all steps up to the next pause point or the outcome"
        .when(can_go_to_end) .hint(|_, _| Some("to the end".into())) .does(Ui::run_to_end);
    ToReturn    Task ["S"] "to the return" "Do all steps up to the outcome, past pause points"
        .when(can_go_to_end) .does(Ui::run_to_return);
    TogglePoint Task ["b"] "pause point" "Let tasks of this stage pause at this event, in dry runs too; press again to remove it"
        .when(can_pause_at) .hint(|_, _| Some("pause point".into())) .does(Ui::toggle_point);
    PointIf     Task ["B"] "pause point with a condition" "Let tasks of this stage pause at this event under a condition, e.g. count(score > 0.5) < 5"
        .when(can_pause_at) .does(Ui::ask_condition);
    EditValue   Task ["e"] "edit the value" "Edit the value that the task is paused at; before the call what the agent is given; at its end the outcome"
        .when(can_edit) .hint(|_, _| Some("edit".into())) .does(Ui::edit_value);
    Fork        Task ["f"] "fork" "Run again up to this event, with the edits made before it, and pause there; both attempts are kept"
        .when(can_fork) .hint(|_, _| Some("fork".into())) .does(Ui::fork);
    Attach      Task ["D"] "attach a debugger" "Copy the command that attaches gdb or lldb to the host; the time limit stands still until this is pressed again"
        .when(job_runs) .does(Ui::attach);
    Rerun       Task ["x"] "run again" "Run again from the same inputs on the newest build"
        .when(can_rerun) .hint(|_, _| Some("again".into())) .does(Ui::rerun);
    Discard     Task ["X"] "discard" "Discard this outcome"
        .when(can_discard) .hint(|_, _| Some("discard".into())) .does(Ui::discard);
    Accept      Task ["a"] "accept" "Hold this outcome for review"
        .when(has_outcome) .hint(|_, _| Some("keep".into())) .does(|_, _| vec![Command::Accept]);
    CommitTask  Task ["C"] "commit task" "Commit this task (asks)"
        .writes() .when(has_outcome) .hint(|_, _| Some("commit…".into())) .does(Ui::ask_commit_task);
    KillJob     Task ["K"] "kill" "Kill the host of this task"
        .when(job_runs) .hint(|_, _| Some("kill".into())) .does(|_, _| vec![Command::KillJob]);
    NextTask    Task ["]"] "next task" "Step the next task of the queue"
        .when(task_open) .hint(|_, _| Some("next task".into())) .does(|ui, s| ui.other_task(true, s));
    PrevTask    Task ["["] "previous task" "Step the previous task of the queue"
        .when(task_open) .does(|ui, s| ui.other_task(false, s));
    WatchOpen   Task ["w"] "watch this task" "Dry-run this task at every build; press again to stop"
        .when(|ui, s| can_watch(ui, s, Action::WatchOpen, "no task is open"))
        .hint(|ui, s| watch_word(ui, s, Action::WatchOpen)) .does(|ui, s| ui.watch(Action::WatchOpen, s));
    NextTab     Task ["t" "}"] "next tab" "Show the next tab: value, labels, picture, log, JSON, history"
        .when(task_open) .hint(|_, _| Some("next tab".into())) .does(|ui, _| ui.turn_tab(true));
    PrevTab     Task ["{"] "previous tab" "Show the previous tab"
        .when(task_open) .does(|ui, _| ui.turn_tab(false));
    Image       Task ["i"] "image" "Show the picture with the labels after, before or both, or no picture" .does(Ui::turn_image);
    Pause       Run ["p"] "pause" "Pause, or continue"
        .when(running) .hint(|_, s| Some(if paused(s) { "go on" } else { "pause" }.into()))
        .does(|_, _| vec![Command::PauseRun]);
    More        Run ["+"] "more jobs" "Run one more job at a time"
        .when(running) .hint(|_, _| Some("more jobs".into())) .does(|_, _| vec![Command::Concurrency(1)]);
    Fewer       Run ["-"] "fewer jobs" "Run one job fewer at a time"
        .when(running) .hint(|_, _| Some("fewer".into())) .does(|_, _| vec![Command::Concurrency(-1)]);
    CancelRun   Run ["X"] "cancel run" "Take no further tasks; running ones finish"
        .when(running) .hint(|_, _| Some("stop".into())) .does(|_, _| vec![Command::CancelRun]);
    OpenPaused  Run ["o"] "open paused" "Step the task that has waited longest at a pause point"
        .when(some_paused) .hint(|_, s| counted("step paused", s.paused.len())) .does(Ui::open_paused);
    RetryGroup  Run ["x"] "retry failed" "Run the tasks of this failure again"
        .when(can_retry) .hint(|_, _| Some("retry group".into())) .does(Ui::retry_group);
    RetryAll    Run ["A"] "retry all failed" "Run all failed tasks again"
        .when(can_retry) .does(Ui::retry_all);
    WatchFailed Run ["w"] "watch failed" "Dry-run the tasks of this failure at every build"
        .when(|ui, s| can_watch(ui, s, Action::WatchFailed, "nothing failed in this run"))
        .hint(|_, _| Some("watch".into())) .does(|ui, s| ui.watch(Action::WatchFailed, s));
    StepFailed  Run ["s"] "step failed" "Step into the first task of this failure"
        .when(some_failed) .hint(|_, _| Some("step the failure".into())) .does(Ui::step_failed);
    Toggle      Review ["Space"] "select" "Select or deselect this group or task"
        .when(held) .hint(|_, _| Some("select".into()));
    EditHeld    Review ["e"] "edit the outcome" "Edit the route, the priority, the metadata or a label of the held outcome"
        .when(held) .hint(|_, _| Some("edit".into()));
    CommitAll   Review ["C"] "commit" "Commit everything selected (asks)"
        .writes() .when(held) .hint(|_, _| Some("commit…".into()));
    DropAll     Review ["X"] "drop" "Discard this group; nothing is written"
        .when(held) .hint(|_, _| Some("discard…".into()));
    ReviewPicture Review ["i"] "before and after" "Show the picture with the labels after, before or both, or no picture"
        .stays() .when(held) .hint(|_, _| Some("picture".into())) .does(Ui::turn_side);
    ContactSheet Review ["t"] "contact sheet" "Show the tasks of this group as thumbnails with their labels"
        .when(held) .hint(|_, _| Some("contact sheet".into()));
    Skip        Conflicts ["t"] "keep theirs" "Keep theirs: our outcome is discarded"
        .when(in_conflict) .hint(|_, _| Some("keep theirs".into()));
    RerunTheirs Conflicts ["r"] "run again on theirs" "Run the agent again on the current labels"
        .when(can_rerun_theirs) .hint(|_, _| Some("run again on theirs".into()));
    Overwrite   Conflicts ["O"] "overwrite theirs" "Write our labels over theirs (asks)"
        .writes() .when(in_conflict) .hint(|_, _| Some("overwrite…".into()));
    AllOfGroup  Conflicts ["Space"] "one or all" "Answer for this task, or for all of its stage"
        .when(in_conflict) .hint(|_, _| Some("one or all".into()));
    StepWatched Watch ["s"] "step watched" "Step this task"
        .when(watching) .hint(|_, _| Some("step".into()));
    Again       Watch ["x"] "run watched again" "Run this task again now, from the same inputs"
        .when(watching) .hint(|_, _| Some("run again".into()));
    KeepWatchResults Watch ["p"] "pin this build" "Pin this build as the baseline; press again to compare with the previous build"
        .when(can_pin)
        .hint(|_, s| Some(if s.watch.kept { "compare with the previous build" } else { "pin this build" }.into()));
    HoldWatched Watch ["a"] "hold watched" "Hold the newest build's outcome for review"
        .when(watching) .hint(|_, _| Some("hold".into()));
    Unwatch     Watch ["w"] "unwatch" "Stop watching this task"
        .when(watching) .hint(|_, _| Some("unwatch".into()));
    SortWatched Watch ["S"] "what differs" "Show the tasks that differ, the worst first, or all in the order in which they were chosen"
        .when(watching);
    UnwatchAll  Watch ["X"] "unwatch all" "Stop watching all tasks"
        .when(watching);
    WatchPicture Watch ["i"] "watched picture" "Show the picture with the labels of the newest build, the one before or both, or none"
        .stays() .when(watching) .hint(|_, _| Some("picture".into())) .does(Ui::turn_side);
    SideA       Compare ["["] "next a" "Choose another A: a build, held outcomes, upstream, an earlier run"
        .hint(|_, _| Some("other A".into()));
    SideB       Compare ["]"] "next b" "Choose another B"
        .hint(|_, _| Some("other B".into()));
    BeginCompare Compare ["x"] "compare now" "Run both sides dry on the marked tasks, or on all that match; esc stops and keeps what was compared"
        .when(can_compare) .hint(|_, _| Some("compare".into()));
    EndCompare  Compare ["X"] "stop comparing" "Stop; what has been found stays"
        .when(comparing) .hint(|_, _| Some("stop".into()));
    SortCompared Compare ["S"] "sort compared" "Sort by the worst, by overlap, by time or by title"
        .when(compared) .hint(|_, _| Some("sort".into()));
    StepCompared Compare ["s"] "step compared" "Step this task, with its picture"
        .when(compared) .hint(|_, _| Some("step".into()));
    ComparePicture Compare ["i"] "compared picture" "Show the picture with the labels of both sides, of B, of A, or none"
        .stays() .when(compared) .hint(|_, _| Some("picture".into())) .does(Ui::turn_side);
    SaveCompared Compare ["w"] "save comparison" "Write the comparison to compare.json and compare.html"
        .when(compared) .hint(|_, _| Some("save".into()));
    FinishOp    Journal ["F"] "finish interrupted" "Finish the writes that an interrupted command began (asks)"
        .writes() .when(can_finish) .hint(|_, _| Some("finish the interrupted writes…".into()));
    UndoOp      Journal ["U"] "undo operation" "Undo this operation (shows what, then asks)"
        .writes() .when(can_undo) .hint(|_, s| reviewed(s).then(|| "undo it…".into()));
    StopBackground Run ["C"] "stop the background run" "Let a run in the background finish what is under way, and stop it (asks)"
        .when(runs_in_background) .hint(|_, s| (!s.background.is_empty()).then(|| "stop the background run…".into()))
        .does(Ui::ask_stop_background);
    GoOnInBackground Question ["g"] "go on in the background" "When quitting: let the run go on in the background"
        .when(can_go_on) .once() .hint(|_, _| Some("go on in the background".into()));
    InEditor    Edit ["Ctrl-e"] "in the editor" "Edit the value in $VISUAL or $EDITOR";
    TakeOut     Edit ["x"] "take out" "Take this label out of the outcome, or leave the priority or the metadata as they are upstream";
    DropAndQuit Question ["X"] "throw away and quit" "When quitting: throw away everything that is held"
        .when(held) .once() .hint(|_, _| Some("throw away".into()));
    PlanAndQuit Question ["p"] "keep as a plan" "When quitting: write everything that is held to a plan file"
        .when(held) .once() .hint(|_, _| Some("write a plan".into()));
    Yes         Question ["y"] "yes" "Yes" .once() .hint(|_, _| Some("yes".into()));
    No          Question ["n" "q"] "no" "No" .hint(|_, _| Some("no".into()));
}
