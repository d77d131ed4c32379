/* A library of 1.0: it is compiled with the header as it was released then (agent-abi/tests/c/abi-1.0) and uses
 * all of it. It must load and run under every later 1.x host. Its answer is a text of what it got; with a
 * larger host's structs behind its own it would write over what lies there. */
#include "workbench_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 0x5a

static int32_t inits;

static int32_t init(const wb_host *host, wb_out *out) {
  (void)out;
  inits++;
  return host->size >= sizeof(wb_host) ? WB_OK : WB_ERROR;
}

static void release(uint8_t *data, size_t len, size_t cap) {
  (void)len;
  (void)cap;
  free(data);
}

static int32_t preflight(const wb_host *host, wb_out *out) {
  static const wb_bytes project = WB_TEXT("project");
  wb_bytes document = { NULL, 0 };
  (void)out;
  return host->input(host->ctx, project, &document) == WB_FOUND ? WB_OK : WB_ERROR;
}

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  static const wb_bytes target = WB_TEXT("first"), line = WB_TEXT("from 1.0"), name = WB_TEXT("encode");
  struct {
    wb_frame frame;
    uint8_t guard[64];
  } place;
  wb_bytes answer = { NULL, 0 };
  char *text = malloc(256);
  size_t i, kept = 0;
  int32_t picture, call;
  if (text == NULL) return WB_ERROR;
  memset(&place, GUARD, sizeof place);
  place.frame.size = sizeof place.frame;
  host->log(host->ctx, WB_LOG_INFO, target, line);
  picture = host->frame(host->ctx, 0, &place.frame);
  for (i = 0; i < sizeof place.guard; i++) kept += place.guard[i] == GUARD;
  call = host->call(host->ctx, name, answer, &answer);
  host->progress(host->ctx, 0.5);
  sprintf(text, "{\"route\":\"%s %d %d %d %d %u %u %d %u\"}", (const char *)user, (int)inits, (int)picture, (int)kept,
          (int)(place.frame.size == sizeof(wb_frame)), (unsigned)place.frame.width, (unsigned)task->attempt, (int)call,
          (unsigned)(task->task.len > 0));
  if (picture == WB_FOUND) host->frame_release(host->ctx, place.frame.handle);
  out->kind = WB_OUT_JSON;
  out->data = (uint8_t *)text;
  out->len = out->cap = strlen(text);
  out->free = release;
  return host->is_cancelled(host->ctx) ? WB_CANCELLED : WB_OK;
}

static const wb_agent agents[] = {
  { sizeof(wb_agent), WB_FLAG_IDEMPOTENT, WB_NEED_FRAME | WB_NEED_ASSET, WB_TEXT("one"), WB_TEXT(""), run, "one" },
  { sizeof(wb_agent), 0, WB_NEED_FRAME | WB_NEED_ASSET, WB_TEXT("two"), WB_TEXT(""), run, "two" },
};

static const wb_module module = {
  WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module), WB_TEXT("first"), WB_TEXT("1"), WB_TEXT("1.0"), WB_TEXT("C99"),
  agents, sizeof agents / sizeof agents[0], sizeof(wb_agent), init, NULL, preflight,
};

const wb_module *wb_agent_module(void) { return &module; }
