/*
 * workbench_agent.h: the border between an agent library and its host, for C99, C++11 and everything that
 * can call C. The same table in Rust is agent-abi/src/table.rs; a test compares the two. The JSON documents
 * that cross the border are described in documents.md beside this file, each with an example.
 *
 * A library exports one function, wb_agent_module, that returns a static table of its agents. It must
 * not allocate or start threads. The host opens the library in a process of its own, calls `init`
 * once, then `run` of an agent for each task, one at a time, and `shutdown` when the build retires.
 *
 * Memory. What the host hands out (task, documents, pictures) is borrowed until `run` returns;
 * pictures may be given back before. What an agent puts into wb_out stays its own: the host copies it
 * and then calls `free`, once, on the same thread. `free` may be null for static text.
 *
 * Threads. `init`, `preflight`, `run`, `free` and `shutdown` are called on one thread, the main thread of the
 * process, never two at a time. An agent may start threads. Every function of wb_host may be called from any of
 * them, also from several at once; `ctx` is the same for all. Documents, answers and pictures may be read
 * from any thread. A thread that is still running when `run` returns must have let go of all of them:
 *
 *                  in init, shutdown   in preflight        in run              after run has returned
 *   log            yes                 yes                 yes                 yes, but of no task
 *   input          absent              "project" only      yes                 absent
 *   frame          fails               fails               yes, in turn        fails
 *   child_frame    fails               fails               yes, in turn        fails
 *   frame_release  does nothing        does nothing        yes                 does nothing
 *   progress       does nothing        yes                 yes                 does nothing
 *   is_cancelled   0                   yes                 yes                 0
 *   call           "encode" only       "encode" only       yes, in turn        "encode" only
 *   checkpoint     absent              absent              yes, in turn        absent
 *
 * "In turn": several threads may ask, and are answered one after the other. A call may take as long as the
 * network does; it ends early, with WB_FAILED, when the attempt is stopped. wb_out belongs to the thread
 * that `run` is on. A crash or an exit in any thread ends the process, and with it the task.
 *
 * Time limits. When one is over, the process is killed; no other task is in it.
 *   opening the library and `init`     5 minutes       --load-timeout, load_timeout in workbench.toml
 *   `preflight`                        30 seconds
 *   an attempt (`run`)                 10 minutes      --timeout, timeout in workbench.toml; "timeout_ms" in
 *                                                      wb_agent.spec takes precedence over the settings
 *   `shutdown`                         2 seconds
 * The time between the calls "loading" with a name and "loading" with null counts to the limit for opening, not
 * to the attempt's. At the end of its time, or when a person stops it, an agent with WB_FLAG_CANCEL_AWARE has 2
 * seconds to see is_cancelled and return WB_CANCELLED, any other 100 milliseconds.
 *
 * Other limits. An answer is at most 64 MB, a text of the table 1 MB. Log lines and output are kept up to
 * 1 MB a task.
 *
 * Answers. `run` returns WB_OK and puts JSON into wb_out (kind WB_OUT_JSON), or nothing at all, which
 * means "the task stays, nothing changes":
 *
 *   {"route": "complete",                       name or UUID of the pathway; absent or null: stay
 *    "stage": "Archive",                        or in its place any stage, by title or UUID
 *    "priority": 0.7,                           0 to 1
 *    "add": [{"name": "Car", "frame": 0,        labels by their names in the ontology
 *             "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.9,
 *             "attributes": {"Colour": "Red"}},
 *            {"name": "Weather", "answer": "Sunny"}],
 *    "remove": ["hWzAqleq"],                    hashes of labels that are there
 *    "answer": [{"hash": "j3Am3aZ7", "name": "Plate", "value": "ZH 1"}],
 *    "labels": {...}, "client_metadata": {...}} replaced as a whole
 *
 * or one of the other codes with the reason as text (kind WB_OUT_TEXT). An answer that is not an object,
 * or has none of these names, is refused; so are "labels" that are not a whole label row. A name that nothing
 * reads is reported with the nearest one, once for a build and stage. "labels" are applied first, then
 * "remove", "add" and "answer"; all of it or nothing.
 *
 * A label in "add" is an object with one shape, or a classification with an "answer". Shapes, in shares
 * of the picture:
 *
 *   "boundingBox"           {"x", "y", "w", "h"}: upper left corner, width, height
 *   "rotatableBoundingBox"  the same and "theta", degrees around its centre
 *   "polygon", "polyline"   [[x, y], ...]           "polygons"  [[ring, hole, ...], ...]: one object
 *   "point"                 [x, y]
 *   "bitmask"               {"rle", "width", "height"}: the whole picture in pixels, row by row. The text is that
 *                           of COCO's compressed run lengths, but of rows instead of columns.
 *   "skeleton"              {"NAME": [x, y], ...}: a place for every vertex of the template
 *   "ellipse"               {"x", "y", "rx", "ry", "theta"}: middle, half-axes; theta may be left out
 *   "circle"                {"x", "y", "r"}: the radius is a share of the width
 *   "cuboid_2d"             {"front": [x, y, x, y, ...], "offset": {"x", "y"}}
 *   "range"                 [from, to]: milliseconds of audio or characters of text, both included
 *   "htmlRange"             {"start": {"xpath", "offset"}, "end": {"xpath", "offset"}}
 *
 * "frame" is where it is (0 if absent), "lastFrame" where it ends. A track has "frames" instead, a shape for
 * each frame that it is on: {"name": "Car", "frames": {"0": {"boundingBox": {...}}, "5": {...}}}; a frame may
 * have its own "confidence", "manual" and "attributes". "manual": false: not made by a person (true if absent).
 * An answer is a text or an option, a number, or a list of options. "attributes" are answers of the whole object;
 * one that changes from frame to frame holds on all its frames. In "answer", "frames": [[from, to], ...] limits it.
 *
 * With "hash", a label that is there is changed: {"hash": "hWzAqleq", "frame": 3, "boundingBox": {...}}
 * moves the object on frame 3, or puts it there; of a classification the "answer" changes. "name" may be
 * left out then. What is not given stays: who made the label and when, its confidence, its answers.
 *
 * Numbers at most 1e-6 outside of 0 to 1, as 32-bit arithmetic makes them, are taken back to the edge;
 * anything further is refused.
 *
 * Text is UTF-8 with a length and without a final zero; a null pointer with length 0 is empty.
 *
 * Versions. Fields are only appended, and every 1.x host accepts the sizes of 1.0. Fill in `size` with sizeof;
 * read a field that was appended after 1.0 only when the other side's `size` covers it. Set only `needs`
 * and flags of this header.
 */
#ifndef WORKBENCH_AGENT_H
#define WORKBENCH_AGENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "WBAGENT1" as a little-endian number. */
#define WB_MAGIC UINT64_C(0x31544E4547414257)
#define WB_ABI_MAJOR 1
#define WB_ABI_MINOR 1
#define WB_ENTRY_SYMBOL "wb_agent_module"

/* What an agent needs fetched before it runs (wb_agent.needs). */
#define WB_NEED_LABEL_ROW (UINT64_C(1) << 0)       /* the labels, to read */
#define WB_NEED_LABEL_ROW_WRITE (UINT64_C(1) << 1) /* the labels, to change */
#define WB_NEED_STORAGE_ITEM (UINT64_C(1) << 2)    /* the storage item behind the data */
#define WB_NEED_PROJECT (UINT64_C(1) << 3)         /* project, ontology, workflow */
#define WB_NEED_CLIENT_METADATA (UINT64_C(1) << 4) /* the client metadata */
#define WB_NEED_ASSET (UINT64_C(1) << 5)           /* the file */
#define WB_NEED_FRAME (UINT64_C(1) << 6)           /* the first picture */
#define WB_NEED_FRAMES (UINT64_C(1) << 7)          /* any picture */
#define WB_NEED_TWIN (UINT64_C(1) << 8)            /* a label row of a twin project */
#define WB_NEED_CHILDREN (UINT64_C(1) << 9)        /* the children of an image group */
#define WB_NEED_UPSTREAM (UINT64_C(1) << 10)       /* read-only calls while it runs */

/* Properties of an agent (wb_agent.flags). */
#define WB_FLAG_OVERWRITE (1u << 0)    /* may take a stage over from another library */
#define WB_FLAG_CANCEL_AWARE (1u << 1) /* looks at is_cancelled */
#define WB_FLAG_IDEMPOTENT (1u << 2)   /* may be run again on its own after it was killed half-way */
#define WB_FLAG_NO_PARALLEL (1u << 3)  /* one at a time */

/* What run, init and preflight return. */
#define WB_OK 0          /* done; the outcome is in wb_out */
#define WB_ERROR 1       /* the agent refused; the reason is in wb_out */
#define WB_PANIC 2       /* it broke down and caught itself */
#define WB_CANCELLED 3   /* it saw the cancel and stopped */
#define WB_DEPENDENCY 4  /* a dependency failed; the reason is in wb_out */
#define WB_UNSUPPORTED 5 /* it asks for what this host cannot give */

/* wb_out.kind */
#define WB_OUT_NOTHING 0
#define WB_OUT_JSON 1    /* an outcome, see above */
#define WB_OUT_TEXT 2    /* the reason, one line or more */
#define WB_OUT_FAILURE 3 /* the reason as JSON: {"message", "chain", "location", "retry"} */
#define WB_OUT_ANSWER 4  /* what a resource answers: any bytes */

/* What wb_host.input, .frame and .call return. */
#define WB_FOUND 0
#define WB_ABSENT 1
#define WB_FAILED 2

/* wb_host.log levels. */
#define WB_LOG_ERROR 1
#define WB_LOG_WARN 2
#define WB_LOG_INFO 3
#define WB_LOG_DEBUG 4
#define WB_LOG_TRACE 5

/* wb_frame.format */
#define WB_RGB8 1

typedef struct wb_bytes {
  const uint8_t *ptr;
  size_t len;
} wb_bytes;

/* Text from a string literal. */
#ifdef __cplusplus
#define WB_TEXT(literal) { reinterpret_cast<const uint8_t *>(literal), sizeof(literal) - 1 }
#else
#define WB_TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }
#endif

typedef struct wb_host wb_host;
typedef struct wb_task wb_task;
typedef struct wb_frame wb_frame;
typedef struct wb_out wb_out;
typedef struct wb_agent wb_agent;
typedef struct wb_module wb_module;
typedef struct wb_resource wb_resource;

/* One library. The first 16 bytes never change. */
struct wb_module {
  uint64_t magic;      /* WB_MAGIC */
  uint16_t abi_major;  /* WB_ABI_MAJOR */
  uint16_t abi_minor;  /* WB_ABI_MINOR */
  uint32_t size;       /* sizeof(wb_module) */
  wb_bytes name;       /* of the library */
  wb_bytes version;    /* of the library */
  wb_bytes sdk;        /* what made this table; free text */
  wb_bytes build_info; /* compiler and options, for messages only */
  const wb_agent *agents;
  size_t agent_count;
  size_t agent_stride; /* sizeof(wb_agent) */
  int32_t (*init)(const wb_host *host, wb_out *out);      /* once, before the first task; may be null */
  void (*shutdown)(void);                                 /* best effort, time-limited; may be null */
  int32_t (*preflight)(const wb_host *host, wb_out *out); /* before a run, may refuse; may be null */
  const wb_resource *resources; /* from 1.1 on; may be null */
  size_t resource_count;
  size_t resource_stride; /* sizeof(wb_resource) */
};

/* A value in a process of its own that answers the questions of all agents, one at a time. Agents ask with
 * host->call("resource", ...): the name as a JSON string, a newline, then the question. The process outlives
 * builds whose spec names the same version and files. */
struct wb_resource {
  uint32_t size; /* sizeof(wb_resource) */
  uint32_t reserved;
  wb_bytes spec; /* JSON: {"name", "version", "files": [absolute paths], "location"}; name must be there */
  int32_t (*open)(const void *user, const wb_host *host, wb_out *out); /* once, after init; its time is loading */
  int32_t (*answer)(const void *user, wb_bytes question, const wb_host *host, wb_out *out); /* WB_OUT_ANSWER */
  const void *user; /* handed to both as it is */
};

/* One agent: a function for one stage. */
struct wb_agent {
  uint32_t size;  /* sizeof(wb_agent) */
  uint32_t flags; /* WB_FLAG_... */
  uint64_t needs; /* WB_NEED_... */
  wb_bytes stage; /* name or UUID of the stage */
  wb_bytes spec;  /* JSON: {"function", "location", "routes": [...], "timeout_ms"}; all may be left out */
  int32_t (*run)(const void *user, const wb_task *task, const wb_host *host, wb_out *out);
  const void *user; /* handed to run as it is */
};

/* One attempt on one task. */
struct wb_task {
  uint32_t size;
  uint32_t reserved;
  uint64_t id;      /* of the job, unique in the host process */
  uint32_t attempt; /* 1 for the first */
  uint32_t build;   /* number of the build */
  wb_bytes stage;   /* JSON: {"uuid", "title", "stage_type", "pathways": [{"uuid", "name", ...}]} */
  wb_bytes task;    /* JSON: {"uuid", "data_hash", "data_title", "status", "label_branch_name", ...} */
  wb_bytes params;  /* JSON object from workbench.toml; empty when there are none */
};

/* A decoded picture: rows of `stride` bytes, three per pixel, red first. */
struct wb_frame {
  uint32_t size;   /* sizeof(wb_frame), set by the caller before each call; after it, how much the host filled in */
  uint32_t format; /* WB_RGB8 */
  const uint8_t *data;
  size_t len;
  uint32_t width;  /* pixels per row */
  uint32_t height; /* rows */
  uint32_t stride;
  uint32_t reserved;
  uint64_t index;  /* number of the frame, from 0 */
  int64_t pts_us;  /* microseconds from the start; 0 for stills */
  uint64_t handle; /* for frame_release */
  wb_bytes error;  /* why there is no picture */
};

/* What an agent may ask of its host while it runs. The first argument is always `ctx`. */
struct wb_host {
  uint32_t size;
  uint32_t minor;
  void *ctx;
  void (*log)(void *ctx, uint32_t level, wb_bytes target, wb_bytes message);
  /* A document by name: "project", "label_row", "storage_item", "asset". On WB_FAILED the text has the reason. */
  int32_t (*input)(void *ctx, wb_bytes name, wb_bytes *document);
  /* A picture by number; WB_ABSENT past the end. On WB_FAILED frame->error has the reason. */
  int32_t (*frame)(void *ctx, uint64_t index, wb_frame *frame);
  void (*frame_release)(void *ctx, uint64_t handle);
  void (*progress)(void *ctx, double share); /* 0 to 1 */
  int32_t (*is_cancelled)(void *ctx);        /* 1 when this attempt should stop */
  /* Calls by name; none of them can write. On WB_FAILED the text has the reason; WB_ABSENT: no such name.
   * Questions and answers are JSON unless noted; answers are readable until `run` returns.
   *   "project"        {"project": uuid}                                   -> the project
   *   "label_rows"     {"project": uuid, "data_hashes": [uuid]}            -> [{"metadata", "labels"} or null]
   *   "twin"           {"project": uuid, "data_hash": uuid, "init_labels": true, "include_task": false}
   *                                                                        -> {"row", "task"} or null
   *   "storage_items"  {"items": [uuid]}                                   -> [item]
   *   "list"           {"list": "label_rows", "tasks", "folder_items", "collections" or "collection_items",
   *                     "project", "stage", "of", "title", "recursive", "token"} -> {"entries": [], "next"}
   *   "signed_url"     item uuid                                           -> an address (a secret) or null
   *   "loading"        "NAME" before something is loaded that stays in the process, null after it: the time
   *                    between counts to the limit for opening, and errors name it -> null
   *   "pause"          {"kind", "name"}, a newline, a value: as `checkpoint`, at another place such as a
   *                    "dependency"; an empty question: whether anybody looks -> "true" or "false"
   *   "encode"         {"format": "jpeg" or "png", "width", "height", "stride", "quality"}, a newline,
   *                    the rows of pixels                                  -> the file's bytes */
  int32_t (*call)(void *ctx, wb_bytes name, wb_bytes input, wb_bytes *output);
  /* Since 1.1: where `size` covers it. A picture of one file of a group: `child` is its place in "children" of
   * the document "asset", `index` the frame of it. Otherwise as `frame`. */
  int32_t (*child_frame)(void *ctx, uint64_t child, uint64_t index, wb_frame *frame);
  /* Since 1.1: where `size` covers it. Shows a named value (JSON) on the Task screen, where a person may hold the
   * task and edit the value: blocks meanwhile, and the time limit of the attempt stands still. Other threads go on until
   * they ask for something themselves. An agent that never calls it is held before `run` and after it. WB_ABSENT: go on
   * with your value, as always where nobody steps; WB_FOUND: go on with `replaced`, JSON that is readable until `run` returns;
   * WB_FAILED: the attempt is to stop, `replaced` has the reason. Check what you read of `replaced`: a person wrote it. */
  int32_t (*checkpoint)(void *ctx, wb_bytes name, wb_bytes value, wb_bytes *replaced);
};

/* Where an agent leaves its answer. */
struct wb_out {
  uint32_t size; /* set by the host */
  uint32_t kind; /* WB_OUT_... */
  uint8_t *data; /* the host copies `len` bytes and then calls `free` */
  size_t len;
  size_t cap; /* for `free` only */
  void (*free)(uint8_t *data, size_t len, size_t cap); /* may be null */
};

/* The one exported function. */
#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const wb_module *wb_agent_module(void);

#ifdef __cplusplus
}
#endif

#endif /* WORKBENCH_AGENT_H */
