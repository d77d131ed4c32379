/* A resource whose opening is noted in a file, and agents that ask it. Compiled with OPENS (path of that file),
 * VERSION (of the resource), CODE (of the agents) and, for one that cannot be opened, BROKEN. */
#include "workbench_agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int32_t open_model(const void *user, const wb_host *host, wb_out *out) {
  FILE *file = fopen(OPENS, "a");
  (void)user, (void)host;
  fprintf(file, "%d\n", (int)getpid());
  fclose(file);
#ifdef BROKEN
  wb_bytes why = WB_TEXT("no weights");
  return leave(out, WB_OUT_TEXT, WB_ERROR, why);
#elif defined(ENDLESS)
  for (;;) pause();
#else
  (void)out;
  return WB_OK;
#endif
}

/* Its process and the length of the question. */
static int32_t answer(const void *user, wb_bytes question, const wb_host *host, wb_out *out) {
  char text[80];
  (void)user, (void)host;
  if (question.len == 5 && memcmp(question.ptr, "crash", 5) == 0) abort();
  int len = snprintf(text, sizeof text, "{\"route\":\"%d %zu %s\"}", (int)getpid(), question.len, VERSION);
  return leave(out, WB_OUT_ANSWER, WB_OK, (wb_bytes){(const uint8_t *)text, (size_t)len});
}

/* Asks the question that the parameters hold; the answer is the outcome. */
static int32_t asks(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  wb_bytes name = WB_TEXT("resource"), reply = {NULL, 0};
  (void)user;
  if (host->call(host->ctx, name, task->params, &reply) == WB_FOUND) return leave(out, WB_OUT_JSON, WB_OK, reply);
  return leave(out, WB_OUT_TEXT, WB_ERROR, reply);
}

static const wb_agent agents[] = {
    {sizeof(wb_agent), 0, 0, WB_TEXT("asks"), WB_TEXT(""), asks, NULL},
};

static const wb_resource resources[] = {
    {sizeof(wb_resource), 0, WB_TEXT("{\"name\":\"Model\",\"version\":\"" VERSION "\"}"), open_model, answer, NULL},
};

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module), WB_TEXT("resource"), WB_TEXT(CODE), WB_TEXT("c"),
    WB_TEXT("c"), agents, 1, sizeof(wb_agent), NULL, NULL, NULL, resources, 1, sizeof(wb_resource),
};

const wb_module *wb_agent_module(void) { return &module; }
