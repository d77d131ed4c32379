/* Calls the agent as a host does, with a picture of four pixels, and looks at its answer: make test. */
#include "workbench_agent.h"

#include <cstdio>
#include <string>

namespace {

/* Dark, bright / dark, dark. */
const std::uint8_t pixels[] = {0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0};

extern "C" {
static std::int32_t frame(void *, std::uint64_t index, wb_frame *to) {
  if (index > 0) return WB_ABSENT;
  to->format = WB_RGB8;
  to->data = pixels;
  to->len = sizeof pixels;
  to->width = to->height = 2;
  to->stride = 6;
  return WB_FOUND;
}
static void frame_release(void *, std::uint64_t) {}
static std::int32_t is_cancelled(void *) { return 0; }
}

}  // namespace

int main() {
  const wb_agent *agent = wb_agent_module()->agents;
  const std::string wanted =
      "{\"route\":\"annotate\",\"add\":[{\"name\":\"Bright region\",\"manual\":false,\"frames\":"
      "{\"0\":{\"boundingBox\":{\"x\":0.5,\"y\":0,\"w\":0.5,\"h\":0.5}}}}]}";
  wb_host host{};
  wb_task task{};
  wb_out out{};
  host.size = sizeof host;
  host.frame = frame;
  host.frame_release = frame_release;
  host.is_cancelled = is_cancelled;
  task.size = sizeof task;
  out.size = sizeof out;
  if (agent->run(agent->user, &task, &host, &out) != WB_OK) return 1;
  const std::string given(reinterpret_cast<const char *>(out.data), out.len);
  if (out.free != nullptr) out.free(out.data, out.len, out.cap);
  std::puts(given == wanted ? "ok" : given.c_str());
  return given == wanted ? 0 : 1;
}
