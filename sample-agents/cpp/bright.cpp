/*
 * bright.cpp: an agent in C++17, from the header alone.
 *
 * It serves the stage "bright": it looks for bright pixels in the frames of a video, or in a picture, and adds a
 * track (a box on each frame that has any) and, on the first of these frames, a mask of the pixels themselves.
 *
 *   c++ -std=c++17 -Wall -Wextra -Werror -pedantic -fPIC -shared -I agent-abi/include \
 *       sample-agents/cpp/bright.cpp -o libbright.so
 */
#include "workbench_agent.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

/* Names in the ontology: a bounding box and a bitmask. */
constexpr const char *kTrack = "Light";
constexpr const char *kMask = "Glare";
/* From which brightness (0 to 255) a pixel counts, and how many frames are looked at. */
constexpr int kBright = 200;
constexpr std::uint64_t kFrames = 300;

/* A picture of the host's, given back when it goes out of scope. */
class Picture {
 public:
  /* No value past the last frame. Throws when there is a frame that cannot be decoded. */
  static std::optional<Picture> get(const wb_host &host, std::uint64_t index) {
    wb_frame frame{};
    frame.size = sizeof frame;
    switch (host.frame(host.ctx, index, &frame)) {
      case WB_FOUND: return Picture(host, frame);
      case WB_ABSENT: return std::nullopt;
      default: throw std::runtime_error(std::string(reinterpret_cast<const char *>(frame.error.ptr), frame.error.len));
    }
  }
  Picture(Picture &&other) noexcept : host_(other.host_), frame_(other.frame_) { other.host_ = nullptr; }
  Picture(const Picture &) = delete;
  Picture &operator=(const Picture &) = delete;
  Picture &operator=(Picture &&) = delete;
  ~Picture() {
    if (host_ != nullptr) host_->frame_release(host_->ctx, frame_.handle);
  }

  std::uint32_t width() const { return frame_.width; }
  std::uint32_t height() const { return frame_.height; }
  bool bright(std::uint32_t x, std::uint32_t y) const {
    const std::uint8_t *p = frame_.data + std::size_t{y} * frame_.stride + std::size_t{x} * 3;
    return (p[0] + p[1] + p[2]) / 3 >= kBright;
  }

 private:
  Picture(const wb_host &host, const wb_frame &frame) : host_(&host), frame_(frame) {}
  const wb_host *host_;
  wb_frame frame_;
};

/* The smallest box around the bright pixels, as JSON in shares of the picture; empty without any. */
std::string box_of(const Picture &picture) {
  std::uint32_t left = picture.width(), top = picture.height(), right = 0, bottom = 0;
  for (std::uint32_t y = 0; y < picture.height(); ++y)
    for (std::uint32_t x = 0; x < picture.width(); ++x)
      if (picture.bright(x, y)) {
        left = std::min(left, x), right = std::max(right, x + 1);
        top = std::min(top, y), bottom = std::max(bottom, y + 1);
      }
  if (right == 0) return {};
  const double w = picture.width(), h = picture.height();
  std::ostringstream out;
  out << "{\"x\":" << left / w << ",\"y\":" << top / h << ",\"w\":" << (right - left) / w
      << ",\"h\":" << (bottom - top) / h << "}";
  return out.str();
}

/* Runs of pixels row by row, dark ones first, in Encord's text: from the fourth on each is written as its
 * difference to the one two before it, in groups of five bits, low ones first. */
std::string mask_of(const Picture &picture) {
  std::vector<std::int64_t> runs;
  bool bright = false;
  std::int64_t length = 0;
  for (std::uint32_t y = 0; y < picture.height(); ++y)
    for (std::uint32_t x = 0; x < picture.width(); ++x) {
      if (picture.bright(x, y) != bright) {
        runs.push_back(length);
        bright = !bright, length = 0;
      }
      ++length;
    }
  runs.push_back(length);
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::int64_t rest = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (bool more = true; more;) {
      const int group = static_cast<int>(rest & 0x1f);
      rest >>= 5;
      more = (group & 0x10) == 0 ? rest != 0 : rest != -1;
      text.push_back(static_cast<char>(48 + group + (more ? 0x20 : 0)));
    }
  }
  return text;
}

/* JSON in quotes; the run lengths may hold a backslash. */
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string outcome(const wb_host &host) {
  std::string track, mask;
  for (std::uint64_t index = 0; index < kFrames && host.is_cancelled(host.ctx) == 0; ++index) {
    const std::optional<Picture> picture = Picture::get(host, index);
    if (!picture) break;
    const std::string box = box_of(*picture);
    if (box.empty()) continue;
    if (mask.empty()) {
      std::ostringstream out;
      out << "{\"name\":" << quoted(kMask) << ",\"frame\":" << index << ",\"manual\":false,\"bitmask\":{\"rle\":"
          << quoted(mask_of(*picture)) << ",\"width\":" << picture->width() << ",\"height\":" << picture->height() << "}}";
      mask = out.str();
    }
    track += (track.empty() ? "" : ",") + quoted(std::to_string(index)) + ":{\"boundingBox\":" + box + "}";
  }
  if (track.empty()) return "{\"route\":\"complete\"}";
  return "{\"route\":\"complete\",\"add\":[{\"name\":" + quoted(kTrack) + ",\"manual\":false,\"frames\":{" + track + "}}," +
         mask + "]}";
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
    const std::string given = outcome(*host);
    if (host->is_cancelled(host->ctx) != 0) return WB_CANCELLED;
    return answer(*out, WB_OUT_JSON, WB_OK, given);
  } catch (const std::exception &error) {
    return answer(*out, WB_OUT_TEXT, WB_ERROR, error.what());
  }
}
}

const wb_agent agents[] = {
    {sizeof(wb_agent), WB_FLAG_IDEMPOTENT | WB_FLAG_CANCEL_AWARE,
     WB_NEED_LABEL_ROW_WRITE | WB_NEED_FRAMES | WB_NEED_ASSET, WB_TEXT("bright"),
     WB_TEXT("{\"function\":\"run\",\"location\":\"bright.cpp\",\"routes\":[\"complete\"]}"), run, nullptr},
};

const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("bright"), WB_TEXT("0.1.0"), WB_TEXT("workbench_agent.h"), WB_TEXT("C++17"),
    agents, sizeof agents / sizeof agents[0], sizeof(wb_agent), nullptr, nullptr, nullptr,
    nullptr, 0, 0,
};

}  // namespace

const wb_module *wb_agent_module(void) { return &module; }
