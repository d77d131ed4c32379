//! The examples that lead each command's help.

/// Examples that lead each help text: the command line after `workbench`, and what it is for.
pub const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("demo", "a project on this machine, no account"),
            (
                "--project-hash=UUID --agents ./agents",
                "the screen on your project",
            ),
            (
                "run -p UUID -a ./agents --dry-run",
                "all tasks, every write held",
            ),
            (
                "serve --scenario demo --port 0",
                "a local Encord for scripts and tests",
            ),
        ],
    ),
    (
        "ui",
        &[
            ("-p UUID -a ./my-agents", "the screen, on your own project"),
            (
                "ui -p UUID -a ./my-agents --build",
                "and the crate is built whenever you save",
            ),
        ],
    ),
    (
        "demo",
        &[
            ("demo", "build the sample agents and open the screen"),
            ("demo --reset --tasks 5000", "start over, with more tasks"),
        ],
    ),
    (
        "new",
        &[
            ("new my-agents", "pixels in, a label out"),
            ("new my-agents --template route", "a pathway by the labels"),
            ("new my-agents --stage 'Agent 1'", "for a stage of your own"),
            (
                "new my-agents -p UUID",
                "an agent for each stage of your project, its names as Rust items",
            ),
            (
                "new --refresh-ontology",
                "in the crate: those names as they are now",
            ),
            ("new --upgrade", "the agent-abi of a newer workbench"),
        ],
    ),
    (
        "check",
        &[
            ("check -p UUID -a ./my-agents", "before the first task"),
            ("check --json", "the findings, for a script"),
        ],
    ),
    (
        "run",
        &[
            ("run -p UUID -a libmine.so", "drain the queues, then end"),
            ("run … --dry-run --json", "same outcomes, nothing written"),
            (
                "run … --refresh-every 60 -j 4",
                "look again every minute, four at a time",
            ),
            (
                "run … --filter 'title~night age>2d'",
                "only tasks that match",
            ),
            (
                "run … --max-failures 5% --report r.html",
                "stop in time, and show why",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("plan … -o monday.wbplan", "run, every write held in a file"),
            ("review monday.wbplan --diff", "what it would change"),
            ("apply monday.wbplan", "write exactly that"),
        ],
    ),
    (
        "compare",
        &[
            (
                "compare monday.wbplan tuesday.wbplan",
                "what two runs gave differently",
            ),
            (
                "compare old.so new.so --tasks 500 --report c.html",
                "both run dry on the same tasks",
            ),
            (
                "compare old.so new.so --tolerance overlap=0.95",
                "exit 4 when they differ by more",
            ),
        ],
    ),
    (
        "review",
        &[
            ("review monday.wbplan", "groups and totals"),
            ("review monday.wbplan --diff", "label by label"),
            (
                "review monday.wbplan --only route:skip",
                "only what takes one pathway",
            ),
        ],
    ),
    (
        "apply",
        &[
            ("apply monday.wbplan", "write what the plan holds, once"),
            (
                "apply monday.wbplan --only route:complete",
                "a part; the rest later",
            ),
        ],
    ),
    (
        "undo",
        &[
            (
                "journal",
                "the operations of this folder, with their numbers",
            ),
            ("undo", "take the newest back"),
            ("undo 12", "take operation 12 back"),
        ],
    ),
    ("resume", &[("resume", "after a crash or Ctrl-C")]),
    (
        "runs",
        &[
            ("runs", "all of this folder, with their numbers"),
            ("runs --json", "an object for each"),
            ("runs --prune 30d", "forget those that began earlier"),
        ],
    ),
    (
        "attach",
        &[
            ("attach 18", "follow it; Ctrl-C lets it go on alone"),
            ("attach 18 > results", "its lines of JSON, from the first"),
            (
                "attach 18 --stop",
                "take no further tasks, and wait for its end",
            ),
        ],
    ),
    (
        "exec",
        &[(
            "exec --stage 'Agent 1' -p UUID -a libmine.so < specs > results",
            "a line each",
        )],
    ),
    (
        "queue",
        &[
            (
                "queue push --stage 'Agent 1' -p UUID",
                "a message for each waiting task; the broker from WORKBENCH_BROKER",
            ),
            ("queue status --json", "how much waits, and for whom"),
            ("queue dead", "what was given up, and why"),
            ("queue retry", "after the agent was fixed"),
        ],
    ),
    (
        "worker",
        &[
            (
                "worker --stage 'Agent 1' -p UUID -a libmine.so -j 4",
                "the broker from WORKBENCH_BROKER",
            ),
            (
                "worker --broker-file /run/secrets/broker --grace 2m",
                "under a supervisor; SIGTERM ends it in good order",
            ),
        ],
    ),
    (
        "graph",
        &[
            ("graph -p UUID", "each stage and where its pathways lead"),
            ("graph --json", "stages and edges, for a script"),
            ("graph --format mermaid", "a flowchart for a README"),
            ("graph --format dot | dot -Tsvg", "a picture"),
        ],
    ),
    (
        "stages",
        &[
            ("stages -p UUID", "kind, tasks, UUID, title"),
            ("stages --json", "a line each, for a script"),
        ],
    ),
    (
        "tasks",
        &[
            (
                "tasks --stage 'Agent 1' --filter 'status:new pri>=0.5'",
                "those that match",
            ),
            (
                "tasks --json --limit 1000000 > tasks.jsonl",
                "all of them, a line each",
            ),
        ],
    ),
    (
        "journal",
        &[
            ("journal", "what was written from this folder"),
            ("journal --commands", "as commands to be run again"),
            (
                "journal --prune 30d",
                "forget finished operations older than that",
            ),
        ],
    ),
    (
        "replay",
        &[
            ("demo --record session.jsonl.gz", "record a session first"),
            (
                "replay session.jsonl.gz --speed 2",
                "play it in the terminal",
            ),
            (
                "replay session.jsonl.gz --to 1m20s --svg screen.svg",
                "the screen at a point, as a picture",
            ),
            (
                "replay session.jsonl.gz --asciicast session.cast",
                "for asciinema and its players",
            ),
        ],
    ),
    (
        "serve",
        &[
            ("serve --port 0", "a line of JSON, then serves"),
            ("serve --data ./local --tasks 5000", "kept in a folder"),
            ("serve --import ./my-images", "your own images and videos"),
            (
                "serve --fault 'save_labels:500@2%' --latency 50ms",
                "as bad as a real network",
            ),
        ],
    ),
    ("keys", &[("keys", "the keys of every screen")]),
    (
        "config",
        &[
            ("config", "what holds here, and why"),
            (
                "config --config other.toml",
                "what would hold with another file",
            ),
        ],
    ),
    (
        "print",
        &[
            (
                "print agent-nodes -p UUID",
                "stages and pathways, with their UUIDs",
            ),
            ("print system-info", "for a bug report"),
        ],
    ),
    (
        "completions",
        &[
            (
                "completions bash > ~/.local/share/bash-completion/completions/workbench",
                "",
            ),
            (
                "completions fish > ~/.config/fish/completions/workbench.fish",
                "",
            ),
            (
                "completions zsh > ~/.zfunc/_workbench",
                "a folder of $fpath",
            ),
        ],
    ),
    (
        "man",
        &[("man run > workbench-run.1", "then: man ./workbench-run.1")],
    ),
];
