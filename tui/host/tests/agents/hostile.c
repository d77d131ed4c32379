/* An agent for every way to misbehave, and a few that behave. The order is the tests' table. */
#define _GNU_SOURCE
#include "workbench_agent.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef ANSWER
#define ANSWER "one"
#endif

static int32_t put(wb_out *out, uint32_t kind, const char *text) {
  out->kind = kind;
  out->data = (uint8_t *)text;
  out->len = strlen(text);
  out->free = NULL;
  return WB_OK;
}

#define AGENT(name) static int32_t name(const void *user, const wb_task *task, const wb_host *host, wb_out *out)
#define UNUSED (void)user, (void)task, (void)host, (void)out

AGENT(answer) {
  UNUSED;
  return put(out, WB_OUT_JSON, "{\"route\":\"" ANSWER "\"}");
}

/* Not inlined, so that the frames have names. */
__attribute__((noinline)) static int deep_inner(volatile int *nowhere) { return *nowhere + 1; }
__attribute__((noinline)) static int outer(volatile int *nowhere) { return deep_inner(nowhere) + 2; }

AGENT(segv) {
  UNUSED;
  return outer((volatile int *)8) + 3;
}

AGENT(aborts) {
  UNUSED;
  abort();
}

AGENT(leaves) {
  UNUSED;
  exit(0);
}

AGENT(loops) {
  UNUSED;
  for (volatile uint64_t n = 0;; n++) {
  }
  return WB_OK;
}

AGENT(listens) {
  UNUSED;
  while (!host->is_cancelled(host->ctx)) {
    usleep(200);
  }
  return WB_CANCELLED;
}

AGENT(prints) {
  UNUSED;
  static char line[1024];
  memset(line, 'x', sizeof line - 1);
  line[sizeof line - 1] = '\n';
  for (int n = 0; n < 100 * 1024; n++) {
    fwrite(line, 1, sizeof line, stdout);
  }
  return put(out, WB_OUT_JSON, "{\"route\":\"printed\"}");
}

AGENT(last_words) {
  UNUSED;
  printf("last words\n");
  fprintf(stderr, "and a warning\n");
  abort();
}

__attribute__((noinline)) static int deeper(volatile char *from, int n) {
  volatile char page[4096];
  page[0] = (char)n;
  int sum = deeper(page, n + 1);
  return sum + from[0] + page[0];
}

AGENT(overflows) {
  UNUSED;
  volatile char start[1] = {0};
  return deeper(start, 0);
}

AGENT(echoes) {
  UNUSED;
  static const char *names[] = {"project", "label_row", "storage_item", "asset", "nothing"};
  static char text[1 << 16];
  size_t at = (size_t)snprintf(text, sizeof text, "stage=%.*s task=%.*s params=%.*s attempt=%u build=%u job=%llu",
                               (int)task->stage.len, task->stage.ptr, (int)task->task.len, task->task.ptr,
                               (int)task->params.len, task->params.ptr, task->attempt, task->build,
                               (unsigned long long)task->id);
  for (int n = 0; n < 5; n++) {
    wb_bytes name = {(const uint8_t *)names[n], strlen(names[n])};
    wb_bytes found = {NULL, 0};
    int32_t status = host->input(host->ctx, name, &found);
    at += (size_t)snprintf(text + at, sizeof text - at, " %s=%d:%.*s", names[n], status, (int)found.len,
                           found.ptr ? (const char *)found.ptr : "");
  }
  put(out, WB_OUT_TEXT, text);
  return WB_ERROR;
}

AGENT(not_utf8) {
  UNUSED;
  static uint8_t bytes[] = {'{', 0xff, 0xfe, '}'};
  out->kind = WB_OUT_JSON;
  out->data = bytes;
  out->len = sizeof bytes;
  return WB_OK;
}

AGENT(too_large) {
  UNUSED;
  static uint8_t byte;
  out->kind = WB_OUT_JSON;
  out->data = &byte;
  out->len = (size_t)65 << 20;
  return WB_OK;
}

AGENT(reports) {
  UNUSED;
  wb_bytes target = WB_TEXT("agent::reports");
  wb_bytes text = WB_TEXT("half way");
  host->log(host->ctx, WB_LOG_WARN, target, text);
  host->progress(host->ctx, 0.5);
  wb_bytes name = WB_TEXT("no such call");
  wb_bytes none = {NULL, 0};
  wb_bytes answer = {NULL, 0};
  if (host->call(host->ctx, name, none, &answer) != WB_ABSENT) {
    return WB_ERROR;
  }
  printf("out, no newline");
  fflush(stdout);
  return WB_OK;
}

/* Writes nonsense to every socket it finds. */
AGENT(forges) {
  UNUSED;
  static const char nonsense[] = "\xff\xff\xff\xffgarbage";
  for (int fd = 3; fd < 64; fd++) {
    send(fd, nonsense, sizeof nonsense, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  for (;;) {
    pause();
  }
}

/* Leaves a child behind that keeps every descriptor, then crashes. */
AGENT(forks) {
  UNUSED;
  if (fork() == 0) {
    for (;;) {
      pause();
    }
  }
  raise(SIGKILL);
  return WB_OK;
}

/* Closes its connection and goes on. */
AGENT(hangs_up) {
  UNUSED;
  for (int fd = 3; fd < 64; fd++) {
    close(fd);
  }
  for (;;) {
    pause();
  }
}

AGENT(eats) {
  UNUSED;
  for (;;) {
    char *p = malloc(16 << 20);
    if (!p) {
      fprintf(stderr, "memory allocation of 16777216 bytes failed\n");
      abort();
    }
    memset(p, 1, 16 << 20);
  }
}

static uint8_t *kept;
static int frees;
static void give_back(uint8_t *data, size_t len, size_t cap) {
  if (data == kept && len == 2 && cap == 64) {
    frees++;
  }
  free(data);
}

/* Reports how often its results were freed, as its priority. */
AGENT(counts_frees) {
  UNUSED;
  kept = malloc(64);
  memcpy(kept, "{}", 2);
  if (frees == 3) {
    return put(out, WB_OUT_JSON, "{\"priority\":0.75}");
  }
  out->kind = WB_OUT_JSON;
  out->data = kept;
  out->len = 2;
  out->cap = 64;
  out->free = give_back;
  return WB_OK;
}

AGENT(looks) {
  UNUSED;
  static char text[4096];
  wb_frame frame;
  memset(&frame, 0, sizeof frame);
  frame.size = sizeof frame;
  int32_t first = host->frame(host->ctx, 0, &frame);
  if (first != WB_FOUND) {
    snprintf(text, sizeof text, "%.*s", (int)frame.error.len, frame.error.ptr ? (const char *)frame.error.ptr : "");
    put(out, WB_OUT_TEXT, text);
    return WB_ERROR;
  }
  unsigned red = frame.data[0];
  host->frame_release(host->ctx, frame.handle);
  wb_frame past;
  memset(&past, 0, sizeof past);
  past.size = sizeof past;
  snprintf(text, sizeof text, "{\"route\":\"%ux%u red %u past %d\"}", frame.width, frame.height, red,
           host->frame(host->ctx, 1, &past));
  return put(out, WB_OUT_JSON, text);
}

AGENT(forgets_size) {
  UNUSED;
  wb_frame frame;
  memset(&frame, 0, sizeof frame);
  return put(out, WB_OUT_JSON, host->frame(host->ctx, 7, &frame) == WB_FAILED ? "{\"route\":\"failed\"}" : "{}");
}

AGENT(echoes_task) {
  (void)user, (void)host;
  printf("%.*s\n", (int)task->task.len, (const char *)task->task.ptr);
  fprintf(stderr, "no newline at the end");
  return put(out, WB_OUT_JSON, "{\"route\":\"one\"}");
}

#define ENTRY(stage_name, flag_bits, function) \
  {sizeof(wb_agent), flag_bits, 0, WB_TEXT(stage_name), WB_TEXT("{\"function\":\"" stage_name "\",\"location\":\"hostile.c\"}"), function, NULL}

static const wb_agent agents[] = {
    ENTRY("answer", WB_FLAG_IDEMPOTENT, answer),
    ENTRY("segv", 0, segv),
    ENTRY("aborts", 0, aborts),
    ENTRY("leaves", 0, leaves),
    ENTRY("loops", 0, loops),
    ENTRY("listens", WB_FLAG_CANCEL_AWARE, listens),
    ENTRY("prints", 0, prints),
    ENTRY("last_words", 0, last_words),
    ENTRY("overflows", 0, overflows),
    ENTRY("echoes", 0, echoes),
    ENTRY("not_utf8", 0, not_utf8),
    ENTRY("too_large", 0, too_large),
    ENTRY("reports", 0, reports),
    ENTRY("forges", 0, forges),
    ENTRY("forks", 0, forks),
    ENTRY("hangs_up", 0, hangs_up),
    ENTRY("eats", 0, eats),
    ENTRY("counts_frees", 0, counts_frees),
    ENTRY("looks", 0, looks),
    ENTRY("alone", WB_FLAG_NO_PARALLEL | WB_FLAG_CANCEL_AWARE, listens),
    ENTRY("echoes_task", 0, echoes_task),
    ENTRY("forgets_size", 0, forgets_size),
};

static int32_t preflight(const wb_host *host, wb_out *out) {
  wb_bytes name = WB_TEXT("project");
  wb_bytes found = {NULL, 0};
  if (host->input(host->ctx, name, &found) != WB_FOUND) {
    put(out, WB_OUT_TEXT, "no project");
    return WB_ERROR;
  }
  return WB_OK;
}

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("hostile"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT(ANSWER),
    agents, sizeof agents / sizeof agents[0], sizeof(wb_agent),
    NULL, NULL, preflight,
};

const wb_module *wb_agent_module(void) { return &module; }
