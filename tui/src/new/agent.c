/*
 * {{name}}: an agent in C99, from the header alone. The header explains everything.
 *
 * A task with "rework" in its document goes back to the annotators, every other one is complete.
 */
#include "workbench_agent.h"

#include <string.h>

static int32_t answer(wb_out *out, uint32_t kind, int32_t code, const char *text) {
  out->kind = kind;
  out->data = (uint8_t *)text; /* static text: nothing is to be freed */
  out->len = strlen(text);
  return code;
}

static int holds(wb_bytes text, const char *word) {
  size_t n = strlen(word), i;
  for (i = 0; i + n <= text.len; i++)
    if (memcmp(text.ptr + i, word, n) == 0) return 1;
  return 0;
}

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  static const wb_bytes target = WB_TEXT("{{name}}");
  static const wb_bytes message = WB_TEXT("once more");
  (void)user;
  if (!holds(task->task, "rework")) return answer(out, WB_OUT_JSON, WB_OK, "{\"route\":\"complete\"}");
  if (host->log != NULL) host->log(host->ctx, WB_LOG_INFO, target, message);
  return answer(out, WB_OUT_JSON, WB_OK, "{\"route\":\"rework\",\"priority\":0.9}");
}

static const wb_agent agents[] = {
  {sizeof(wb_agent), WB_FLAG_IDEMPOTENT, 0, WB_TEXT("{{stage}}"),
   WB_TEXT("{\"function\":\"run\",\"location\":\"agent.c\",\"routes\":[\"complete\",\"rework\"]}"), run, NULL},
};

static const wb_module module = {
  .magic = WB_MAGIC, .abi_major = WB_ABI_MAJOR, .abi_minor = WB_ABI_MINOR, .size = sizeof(wb_module),
  .name = WB_TEXT("{{name}}"), .version = WB_TEXT("0.1.0"),
  .sdk = WB_TEXT("workbench_agent.h"), .build_info = WB_TEXT("C99"),
  .agents = agents, .agent_count = sizeof agents / sizeof agents[0], .agent_stride = sizeof(wb_agent),
};

const wb_module *wb_agent_module(void) { return &module; }
