/* Agents that ask the workbench for things by name. */
#include "workbench_agent.h"
#include <stdlib.h>
#include <string.h>

static void release(uint8_t *data, size_t len, size_t cap) {
  (void)len, (void)cap;
  free(data);
}

static int32_t leave(wb_out *out, uint32_t kind, int32_t code, wb_bytes text) {
  out->data = malloc(text.len + 1);
  memcpy(out->data, text.len > 0 ? text.ptr : (const uint8_t *)"", text.len);
  out->len = text.len;
  out->kind = kind;
  out->free = release;
  return code;
}

/* Asks by the name that the parameters hold, with the task as the question. */
static int32_t asks(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  wb_bytes answer = {NULL, 0};
  wb_bytes absent = WB_TEXT("absent");
  (void)user;
  switch (host->call(host->ctx, task->params, task->task, &answer)) {
  case WB_FOUND: return leave(out, WB_OUT_JSON, WB_OK, answer);
  case WB_ABSENT: return leave(out, WB_OUT_TEXT, WB_ERROR, absent);
  default: return leave(out, WB_OUT_TEXT, WB_ERROR, answer);
  }
}

/* Asks twice; both answers stay readable until the end. */
static int32_t twice(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  wb_bytes first = {NULL, 0}, second = {NULL, 0};
  wb_bytes unequal = WB_TEXT("the first answer has changed");
  (void)user;
  host->call(host->ctx, task->params, task->stage, &first);
  host->call(host->ctx, task->params, task->task, &second);
  if (first.len != task->stage.len || memcmp(first.ptr, task->stage.ptr, first.len) != 0)
    return leave(out, WB_OUT_TEXT, WB_ERROR, unequal);
  return leave(out, WB_OUT_JSON, WB_OK, second);
}

static const wb_agent agents[] = {
    {sizeof(wb_agent), WB_FLAG_CANCEL_AWARE, WB_NEED_UPSTREAM, WB_TEXT("asks"), WB_TEXT(""), asks, NULL},
    {sizeof(wb_agent), 0, WB_NEED_UPSTREAM, WB_TEXT("twice"), WB_TEXT(""), twice, NULL},
};

static int32_t preflight(const wb_host *host, wb_out *out) {
  wb_bytes answer = {NULL, 0};
  wb_bytes name = WB_TEXT("project"), question = WB_TEXT("{}");
  if (host->call(host->ctx, name, question, &answer) == WB_FOUND) return WB_OK;
  return leave(out, WB_OUT_TEXT, WB_ERROR, answer);
}

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("calls"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT("c"),
    agents, 2, sizeof(wb_agent), NULL, NULL, preflight,
};

const wb_module *wb_agent_module(void) { return &module; }
