/*
 * {{name}}: an agent in C++17, from the header alone. The header explains everything; documents.md of agent-abi
 * shows every document.
 *
 * It draws a box around the bright pixels of each frame of a video, or of a picture: one object, a track.
 */
#include "workbench_agent.h"

#include <algorithm>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

/* A bounding box in the ontology, the pathway, from which brightness (0 to 255) a pixel counts, frames looked at. */
constexpr const char *kObject = "Bright region";
constexpr const char *kRoute = "annotate";
constexpr int kBright = 200;
constexpr std::uint64_t kFrames = 10;

/* The smallest box around the bright pixels, as JSON in shares of the picture; empty without any. */
std::string box_of(const wb_frame &frame) {
  std::uint32_t left = frame.width, top = frame.height, right = 0, bottom = 0;
  for (std::uint32_t y = 0; y < frame.height; ++y)
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      const std::uint8_t *p = frame.data + std::size_t{y} * frame.stride + std::size_t{x} * 3;
      if ((p[0] + p[1] + p[2]) / 3 < kBright) continue;
      left = std::min(left, x), right = std::max(right, x + 1);
      top = std::min(top, y), bottom = std::max(bottom, y + 1);
    }
  if (right == 0) return {};
  const double w = frame.width, h = frame.height;
  std::ostringstream out;
  out << "{\"x\":" << left / w << ",\"y\":" << top / h << ",\"w\":" << (right - left) / w
      << ",\"h\":" << (bottom - top) / h << "}";
  return out.str();
}

std::string outcome(const wb_host &host) {
  std::string frames;
  for (std::uint64_t index = 0; index < kFrames && host.is_cancelled(host.ctx) == 0; ++index) {
    wb_frame frame{};
    frame.size = sizeof frame;
    const std::int32_t code = host.frame(host.ctx, index, &frame);
    if (code == WB_ABSENT) break; /* past the end, or a text or a sound */
    if (code != WB_FOUND) throw std::runtime_error(std::string(reinterpret_cast<const char *>(frame.error.ptr), frame.error.len));
    const std::string box = box_of(frame);
    host.frame_release(host.ctx, frame.handle);
    if (box.empty()) continue;
    frames += (frames.empty() ? "\"" : ",\"") + std::to_string(index) + "\":{\"boundingBox\":" + box + "}";
  }
  const std::string route = std::string("{\"route\":\"") + kRoute + "\"";
  if (frames.empty()) return route + "}";
  return route + ",\"add\":[{\"name\":\"" + kObject + "\",\"manual\":false,\"frames\":{" + frames + "}}]}";
}

/* Leaves text as the answer; the host gives it back to the function in `free`. */
std::int32_t answer(wb_out &out, std::uint32_t kind, std::int32_t code, const std::string &text) {
  auto *copy = new (std::nothrow) std::uint8_t[text.size()];
  if (copy == nullptr) return WB_ERROR;
  std::copy(text.begin(), text.end(), copy);
  out.kind = kind;
  out.data = copy;
  out.len = out.cap = text.size();
  out.free = [](std::uint8_t *data, std::size_t, std::size_t) { delete[] data; };
  return code;
}

extern "C" {
static std::int32_t run(const void *, const wb_task *, const wb_host *host, wb_out *out) {
  /* No exception may leave the library. */
  try {
    return answer(*out, WB_OUT_JSON, WB_OK, outcome(*host));
  } catch (const std::exception &error) {
    return answer(*out, WB_OUT_TEXT, WB_ERROR, error.what());
  }
}
}

const wb_agent agents[] = {
    {sizeof(wb_agent), WB_FLAG_IDEMPOTENT | WB_FLAG_CANCEL_AWARE,
     WB_NEED_LABEL_ROW_WRITE | WB_NEED_FRAMES | WB_NEED_ASSET, WB_TEXT("{{stage}}"),
     WB_TEXT("{\"function\":\"run\",\"location\":\"agent.cpp\",\"routes\":[\"annotate\"]}"), run, nullptr},
};

const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("{{name}}"), WB_TEXT("0.1.0"), WB_TEXT("workbench_agent.h"), WB_TEXT("C++17"),
    agents, sizeof agents / sizeof agents[0], sizeof(wb_agent), nullptr, nullptr, nullptr,
    nullptr, 0, 0,
};

}  // namespace

const wb_module *wb_agent_module(void) { return &module; }
