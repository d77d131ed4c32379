/* Calls the agent as a host does and looks at its answers: make test. */
#include "workbench_agent.h"

#include <stdio.h>
#include <string.h>

static int goes(const char *title, const char *wanted) {
  const wb_agent *agent = wb_agent_module()->agents;
  wb_host host;
  wb_task task;
  wb_out out;
  int right;
  memset(&host, 0, sizeof host);
  memset(&task, 0, sizeof task);
  memset(&out, 0, sizeof out);
  host.size = sizeof host;
  task.size = sizeof task;
  out.size = sizeof out;
  task.task.ptr = (const uint8_t *)title;
  task.task.len = strlen(title);
  right = agent->run(agent->user, &task, &host, &out) == WB_OK && out.len == strlen(wanted) &&
          memcmp(out.data, wanted, out.len) == 0;
  if (!right) printf("%s: %.*s, not %s\n", title, (int)out.len, (const char *)out.data, wanted);
  return right;
}

int main(void) {
  int right = goes("{\"data_title\":\"street.jpg\"}", "{\"route\":\"complete\"}");
  right &= goes("{\"data_title\":\"rework.jpg\"}", "{\"route\":\"rework\",\"priority\":0.9}");
  if (right) puts("ok");
  return right ? 0 : 1;
}
