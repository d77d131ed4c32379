/* A library of a later 1.x: it is compiled with a header whose structs have grown (tests/versions.rs makes it).
 * It reads a field of its host or of a picture only where their `size` covers it, as the header asks. */
#include "workbench_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HAS(pointer, type, field) ((pointer)->size >= offsetof(type, field) + sizeof((pointer)->field))

static void release(uint8_t *data, size_t len, size_t cap) {
  (void)len;
  (void)cap;
  free(data);
}

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  wb_frame frame;
  char *text = malloc(256);
  int later;
  if (text == NULL) return WB_ERROR;
  memset(&frame, 0, sizeof frame);
  frame.size = sizeof frame;
  host->frame(host->ctx, 0, &frame);
  later = HAS(host, wb_host, appended) || HAS(task, wb_task, appended) || HAS(out, wb_out, appended) ||
          HAS(&frame, wb_frame, appended);
  sprintf(text, "{\"route\":\"%s %d %u %ux%u\"}", (const char *)user, later, (unsigned)frame.size,
          (unsigned)frame.width, (unsigned)frame.height);
  out->kind = WB_OUT_JSON;
  out->data = (uint8_t *)text;
  out->len = out->cap = strlen(text);
  out->free = release;
  return WB_OK;
}

static const wb_agent agents[] = {
  { sizeof(wb_agent), 0, WB_NEED_FRAME | WB_NEED_ASSET, WB_TEXT("one"), WB_TEXT(""), run, "one", { 1, 2, 3, 4 } },
  { sizeof(wb_agent), 0, WB_NEED_FRAME | WB_NEED_ASSET, WB_TEXT("two"), WB_TEXT(""), run, "two", { 1, 2, 3, 4 } },
};

static const wb_module module = {
  WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module), WB_TEXT("next"), WB_TEXT("1"), WB_TEXT("1.9"), WB_TEXT("C99"),
  agents, sizeof agents / sizeof agents[0], sizeof(wb_agent), NULL, NULL, NULL, NULL, 0, 0, { 1, 2, 3, 4 },
};

const wb_module *wb_agent_module(void) { return &module; }
