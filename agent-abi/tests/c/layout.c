/* Prints every size, offset and constant of workbench_agent.h, a line each: name value. */
#include "workbench_agent.h"

#include <inttypes.h>
#include <stdio.h>

#define SIZE(type) printf("sizeof(" #type ") %zu\n", sizeof(type))
#define AT(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))
#define VALUE(name) printf(#name " %" PRIu64 "\n", (uint64_t)(name))

int main(void) {
  SIZE(wb_bytes); AT(wb_bytes, ptr); AT(wb_bytes, len);
  SIZE(wb_module); AT(wb_module, magic); AT(wb_module, abi_major); AT(wb_module, abi_minor);
  AT(wb_module, size); AT(wb_module, name); AT(wb_module, version); AT(wb_module, sdk);
  AT(wb_module, build_info); AT(wb_module, agents); AT(wb_module, agent_count);
  AT(wb_module, agent_stride); AT(wb_module, init); AT(wb_module, shutdown); AT(wb_module, preflight);
#if WB_ABI_MINOR >= 1
  AT(wb_module, resources); AT(wb_module, resource_count); AT(wb_module, resource_stride);
  SIZE(wb_resource); AT(wb_resource, size); AT(wb_resource, reserved); AT(wb_resource, spec);
  AT(wb_resource, open); AT(wb_resource, answer); AT(wb_resource, user);
  VALUE(WB_OUT_ANSWER);
#endif
  SIZE(wb_agent); AT(wb_agent, size); AT(wb_agent, flags); AT(wb_agent, needs); AT(wb_agent, stage);
  AT(wb_agent, spec); AT(wb_agent, run); AT(wb_agent, user);
  SIZE(wb_task); AT(wb_task, size); AT(wb_task, reserved); AT(wb_task, id); AT(wb_task, attempt);
  AT(wb_task, build); AT(wb_task, stage); AT(wb_task, task); AT(wb_task, params);
  SIZE(wb_host); AT(wb_host, size); AT(wb_host, minor); AT(wb_host, ctx); AT(wb_host, log);
  AT(wb_host, input); AT(wb_host, frame); AT(wb_host, frame_release); AT(wb_host, progress);
  AT(wb_host, is_cancelled); AT(wb_host, call);
#if WB_ABI_MINOR >= 1
  AT(wb_host, child_frame); AT(wb_host, checkpoint);
#endif
  SIZE(wb_frame); AT(wb_frame, size); AT(wb_frame, format); AT(wb_frame, data); AT(wb_frame, len);
  AT(wb_frame, width); AT(wb_frame, height); AT(wb_frame, stride); AT(wb_frame, reserved);
  AT(wb_frame, index); AT(wb_frame, pts_us); AT(wb_frame, handle); AT(wb_frame, error);
  SIZE(wb_out); AT(wb_out, size); AT(wb_out, kind); AT(wb_out, data); AT(wb_out, len);
  AT(wb_out, cap); AT(wb_out, free);
  VALUE(WB_MAGIC); VALUE(WB_ABI_MAJOR); VALUE(WB_ABI_MINOR);
  VALUE(WB_NEED_LABEL_ROW); VALUE(WB_NEED_LABEL_ROW_WRITE); VALUE(WB_NEED_STORAGE_ITEM);
  VALUE(WB_NEED_PROJECT); VALUE(WB_NEED_CLIENT_METADATA); VALUE(WB_NEED_ASSET); VALUE(WB_NEED_FRAME);
  VALUE(WB_NEED_FRAMES); VALUE(WB_NEED_TWIN); VALUE(WB_NEED_CHILDREN); VALUE(WB_NEED_UPSTREAM);
  VALUE(WB_FLAG_OVERWRITE); VALUE(WB_FLAG_CANCEL_AWARE); VALUE(WB_FLAG_IDEMPOTENT); VALUE(WB_FLAG_NO_PARALLEL);
  VALUE(WB_OK); VALUE(WB_ERROR); VALUE(WB_PANIC); VALUE(WB_CANCELLED); VALUE(WB_DEPENDENCY); VALUE(WB_UNSUPPORTED);
  printf("symbol %s\n", WB_ENTRY_SYMBOL);
  return 0;
}
