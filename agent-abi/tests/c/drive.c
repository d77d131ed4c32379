/* A host of a few lines: runs the first agent of the linked library on each argument, a task as JSON,
 * and prints status, kind and answer, a line each. */
#include "workbench_agent.h"

#include <stdio.h>
#include <string.h>

static void on_log(void *ctx, uint32_t level, wb_bytes target, wb_bytes message) {
  (void)ctx;
  printf("log %u %.*s %.*s\n", (unsigned)level, (int)target.len, (const char *)target.ptr, (int)message.len,
         (const char *)message.ptr);
}

int main(int argc, char **argv) {
  const wb_module *module = wb_agent_module();
  const wb_agent *agent = module->agents;
  wb_host host;
  int i;
  memset(&host, 0, sizeof host);
  host.size = sizeof host;
  host.log = on_log;
  printf("%.*s %.*s %s\n", (int)module->name.len, (const char *)module->name.ptr, (int)agent->stage.len,
         (const char *)agent->stage.ptr, module->magic == WB_MAGIC ? "magic" : "no magic");
  for (i = 1; i < argc; i++) {
    wb_task task;
    wb_out out;
    int32_t code;
    memset(&task, 0, sizeof task);
    memset(&out, 0, sizeof out);
    task.size = sizeof task;
    task.attempt = 1;
    task.task.ptr = (const uint8_t *)argv[i];
    task.task.len = strlen(argv[i]);
    out.size = sizeof out;
    code = agent->run(agent->user, &task, &host, &out);
    printf("%d %u %.*s\n", (int)code, (unsigned)out.kind, (int)out.len, (const char *)out.data);
    if (out.free != NULL) out.free(out.data, out.len, out.cap);
  }
  return 0;
}
