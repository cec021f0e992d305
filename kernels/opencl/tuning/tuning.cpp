#include "opencl/tuning/tuning.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "opencl/driver/error.h"
#include "opencl/lowering/lowering.h"
#include "opencl/runtime/built_launch.h"
#include "opencl/tuning/tile_parameters.h"

namespace addax::opencl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kEnough = std::chrono::milliseconds(10);
constexpr int kMostRuns = 50;

bool is_wanted() {
  const char* const setting = std::getenv("ADDAX_OPENCL_TUNE");
  const std::string_view text = setting == nullptr ? "" : setting;
  if (text.empty() || text == "0") return false;
  if (text == "1") return true;
  throw plugin::Failure{ADX_INVALID_ARGUMENT,
                        "ADDAX_OPENCL_TUNE is '" + std::string(text) + "'; set it to 1 or 0"};
}

// Answers with one tile, and notes what it was asked.
class Proposal final : public TileSource {
 public:
  explicit Proposal(std::optional<Tile> tile = std::nullopt) : tile_(tile) {}

  std::optional<Tile> find(const TileQuery& query) const override {
    asked_ = query;
    return tile_;
  }
  const std::optional<TileQuery>& asked() const { return asked_; }

 private:
  std::optional<Tile> tile_;
  mutable std::optional<TileQuery> asked_;
};

// A node's tensors, filled with one small number, and a queue to run launches on them.
class Bench {
 public:
  Bench(Device& device, const Node& node)
      : device_(device), queue_(device.make_queue()), record_(filled(kRecordBytes, 0)) {
    for (const auto& tensors : {node.inputs(), node.outputs()}) {
      for (const Tensor& tensor : tensors) {
        tensors_.try_emplace(tensor.id, filled(tensor.bytes(), kSmall));
      }
    }
  }

  // The shortest time of one run, of several.
  Clock::duration time(const std::vector<BuiltLaunch>& launches) {
    const Memory scratch = filled(scratch_bytes(launches), 0);
    for (const BuiltLaunch& launch : launches) set_arguments(launch, scratch);
    Clock::duration best = Clock::duration::max();
    const Clock::time_point begin = Clock::now();
    run(launches);
    for (int i = 0; i < kMostRuns && (i == 0 || Clock::now() - begin < kEnough); ++i) {
      const Clock::time_point start = Clock::now();
      run(launches);
      best = std::min(best, Clock::now() - start);
    }
    return best;
  }

 private:
  static constexpr uint64_t kRecordBytes = 64;
  static constexpr uint8_t kSmall = 0x3c;  // in each byte: no floating dtype's denormal, nor large

  Memory filled(uint64_t bytes, uint8_t value) const {
    Memory memory = device_.allocate(std::max<uint64_t>(bytes, 1));
    check(api().clEnqueueFillBuffer(queue_.get(), memory.get(), &value, sizeof value, 0,
                                    std::max<uint64_t>(bytes, 1), 0, nullptr, nullptr),
          "clEnqueueFillBuffer");
    return memory;
  }

  static uint64_t scratch_bytes(const std::vector<BuiltLaunch>& launches) {
    uint64_t bytes = 0;
    for (const BuiltLaunch& launch : launches) {
      for (const Launch::Argument& argument : launch.launch().arguments()) {
        const auto* scratch = std::get_if<Scratch>(&argument);
        if (scratch != nullptr) bytes = std::max(bytes, scratch->offset + scratch->bytes);
      }
    }
    return bytes;
  }

  void set_arguments(const BuiltLaunch& launch, const Memory& scratch) const {
    cl_uint number = 0;
    const auto set = [&](size_t size, const void* value) {
      check(api().clSetKernelArg(launch.kernel(), number++, size, value), "clSetKernelArg");
    };
    const auto set_memory = [&](const Memory& memory) {
      cl_mem object = memory.get();
      set(sizeof(cl_mem), reinterpret_cast<const void*>(&object));
    };
    set_memory(record_);
    for (const Launch::Argument& argument : launch.launch().arguments()) {
      cl_ulong offset = 0;
      if (const auto* bytes = std::get_if<std::vector<std::byte>>(&argument)) {
        set(bytes->size(), bytes->data());
      } else if (const auto* tensor = std::get_if<int32_t>(&argument)) {
        set_memory(tensors_.at(*tensor));
        set(sizeof offset, &offset);
      } else if (const auto* part = std::get_if<Scratch>(&argument)) {
        set_memory(scratch);
        offset = part->offset;
        set(sizeof offset, &offset);
      }
    }
  }

  void run(const std::vector<BuiltLaunch>& launches) const {
    for (const BuiltLaunch& launch : launches) launch.enqueue(queue_.get(), nullptr);
    check(api().clFinish(queue_.get()), "clFinish");
  }

  Device& device_;
  Queue queue_;
  Memory record_;
  std::map<int32_t, Memory> tensors_;
};

}  // namespace

void tune(Device& device, const adx_host& host, const Node& node, int32_t index) {
  if (!is_wanted()) return;
  const Proposal defaults;
  lower(device.limits(), defaults, node, index);
  if (!defaults.asked() || device.tiles().has(*defaults.asked())) return;
  const TileQuery query = *defaults.asked();
  host.log(ADX_LOG_INFO, ("opencl: measures tiles for " + to_text(query)).c_str());
  Bench bench(device, node);
  std::optional<Tile> best;
  Clock::duration least = Clock::duration::max();
  for (const Tile& tile : candidate_tiles(device.limits(), query)) {
    try {
      const auto launches = build(device, lower(device.limits(), Proposal(tile), node, index));
      if (!std::all_of(launches.begin(), launches.end(), std::mem_fn(&BuiltLaunch::fits))) continue;
      const Clock::duration time = bench.time(launches);
      if (time < least) best = tile;
      least = std::min(least, time);
    } catch (const plugin::Failure&) {
      continue;  // a tile that the driver does not take is no candidate
    }
  }
  if (best) device.tiles().put(query, *best);
}

}  // namespace addax::opencl
