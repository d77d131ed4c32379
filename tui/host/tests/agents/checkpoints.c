/* Agents that show values at checkpoints, from the thread of `run` and from one of their own. */
#include "workbench_agent.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void release(uint8_t *data, size_t len, size_t cap) {
  (void)len, (void)cap;
  free(data);
}

/* The route is what the checkpoint came to: its code, and the text that it gave. */
static int32_t leave(wb_out *out, int32_t code, wb_bytes text) {
  char *route = malloc(text.len + 64);
  int written = sprintf(route, "{\"priority\": 0.%d, \"client_metadata\": {\"given\": %.*s}}", (int)code,
                        text.len > 0 ? (int)text.len : 4, text.len > 0 ? (const char *)text.ptr : "null");
  out->data = (uint8_t *)route;
  out->len = (size_t)written;
  out->kind = WB_OUT_JSON;
  out->free = release;
  return WB_OK;
}

static int32_t one(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  wb_bytes name = WB_TEXT("detections"), given = {NULL, 0};
  int32_t code;
  (void)user;
  if (host->size < offsetof(wb_host, checkpoint) + sizeof(host->checkpoint)) return WB_UNSUPPORTED;
  code = host->checkpoint(host->ctx, name, task->params, &given);
  if (code == WB_FAILED) return WB_CANCELLED;
  return leave(out, code, given);
}

static void *elsewhere(void *argument) {
  const wb_host *host = argument;
  wb_bytes name = WB_TEXT("in a thread"), value = WB_TEXT("[1]"), given = {NULL, 0};
  host->checkpoint(host->ctx, name, value, &given);
  return NULL;
}

static int32_t threads(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  pthread_t thread;
  wb_bytes none = {NULL, 0};
  (void)user, (void)task;
  if (pthread_create(&thread, NULL, elsewhere, (void *)host) != 0) return WB_ERROR;
  pthread_join(thread, NULL);
  return leave(out, 7, none);
}

static const wb_agent agents[] = {
    {sizeof(wb_agent), WB_FLAG_CANCEL_AWARE, 0, WB_TEXT("one"), WB_TEXT(""), one, NULL},
    {sizeof(wb_agent), 0, 0, WB_TEXT("threads"), WB_TEXT(""), threads, NULL},
};

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("checkpoints"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT("c"),
    agents, 2, sizeof(wb_agent), NULL, NULL, NULL, NULL, 0, 0,
};

const wb_module *wb_agent_module(void) { return &module; }
