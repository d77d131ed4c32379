/*
 * workbench_agent.h: the border between an agent library and its host, for C99 and everything that
 * can call C. The same table in Rust is agent-abi/src/table.rs; a test compares the two.
 *
 * A library exports one function, wb_agent_module, that returns a static table of its agents. It must
 * not allocate or start threads. The host opens the library in a process of its own, calls `init`
 * once, then `run` of an agent for each task, one at a time, and `shutdown` when the build retires.
 *
 * Memory. What the host hands out (task, documents, pictures) is borrowed until `run` returns;
 * pictures may be given back before. What an agent puts into wb_out stays its own: the host copies it
 * and then calls `free`, once, on the same thread. `free` may be null for static text.
 *
 * Answers. `run` returns WB_OK and puts JSON into wb_out (kind WB_OUT_JSON), or nothing at all, which
 * means "the task stays, nothing changes":
 *
 *   {"route": "complete",                       name or UUID of the pathway; absent or null: stay
 *    "priority": 0.7,                           0 to 1
 *    "add": [{"name": "Car", "frame": 0,        labels by their names in the ontology
 *             "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "confidence": 0.9,
 *             "attributes": {"Colour": "Red"}},
 *            {"name": "Weather", "answer": "Sunny"}],
 *    "labels": {...}, "client_metadata": {...}} replaced as a whole
 *
 * or one of the other codes with the reason as text (kind WB_OUT_TEXT). An answer that is not an object,
 * or has none of these names, is refused; so are "labels" that are not a whole label row.
 *
 * A label in "add" is an object with one shape, or a classification with an "answer". Shapes, in shares
 * of the picture: "boundingBox"; "polygon" and "polyline" [[x, y], ...]; "point" [x, y]; "range"
 * [from, to] in milliseconds of audio or characters of text. "frame" is where it is (0 if absent),
 * "lastFrame" where it ends. An answer is a text or an option, a number, or a list of options.
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
 * Versions. Fields are only appended. Fill in `size` with sizeof; read a field only when the other
 * side's `size` covers it. Set only `needs` and flags of this header.
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
#define WB_ABI_MINOR 0
#define WB_ENTRY_SYMBOL "wb_agent_module"

/* What an agent wants fetched before it runs (wb_agent.needs). */
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
#define WB_ERROR 1       /* the agent said no; the reason is in wb_out */
#define WB_PANIC 2       /* it broke down and caught itself */
#define WB_CANCELLED 3   /* it saw the cancel and stopped */
#define WB_DEPENDENCY 4  /* a dependency failed; the reason is in wb_out */
#define WB_UNSUPPORTED 5 /* it asks for what this host cannot give */

/* wb_out.kind */
#define WB_OUT_NOTHING 0
#define WB_OUT_JSON 1    /* an outcome, see above */
#define WB_OUT_TEXT 2    /* the reason, one line or more */
#define WB_OUT_FAILURE 3 /* the reason as JSON: {"message", "chain", "location", "retry"} */

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
#define WB_TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

typedef struct wb_host wb_host;
typedef struct wb_task wb_task;
typedef struct wb_frame wb_frame;
typedef struct wb_out wb_out;
typedef struct wb_agent wb_agent;
typedef struct wb_module wb_module;

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
  uint32_t size;   /* sizeof(wb_frame), set by the caller */
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
  /* A document by name: "project", "label_row", "storage_item", "asset". On WB_FAILED the text says why. */
  int32_t (*input)(void *ctx, wb_bytes name, wb_bytes *document);
  /* A picture by number; WB_ABSENT past the end. On WB_FAILED frame->error says why. */
  int32_t (*frame)(void *ctx, uint64_t index, wb_frame *frame);
  void (*frame_release)(void *ctx, uint64_t handle);
  void (*progress)(void *ctx, double share); /* 0 to 1 */
  int32_t (*is_cancelled)(void *ctx);        /* 1 when this attempt should stop */
  /* Calls by name; none of them can write. On WB_FAILED the text says why; WB_ABSENT: no such name.
   * Questions and answers are JSON unless said otherwise; answers are readable until `run` returns.
   *   "project"        {"project": uuid}                                   -> the project
   *   "label_rows"     {"project": uuid, "data_hashes": [uuid]}            -> [{"metadata", "labels"} or null]
   *   "twin"           {"project": uuid, "data_hash": uuid, "init_labels": true, "include_task": false}
   *                                                                        -> {"row", "task"} or null
   *   "storage_items"  {"items": [uuid]}                                   -> [item]
   *   "loading"        "NAME" before something is loaded that stays in the process, null after it: the time
 *                    between counts to the limit for loading, and errors name it -> null
 *   "encode"         {"format": "jpeg" or "png", "width", "height", "stride", "quality"}, a newline,
   *                    the rows of pixels                                  -> the file's bytes */
  int32_t (*call)(void *ctx, wb_bytes name, wb_bytes input, wb_bytes *output);
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
