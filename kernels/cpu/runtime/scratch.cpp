#include "cpu/runtime/scratch.h"

#include <array>
#include <memory>
#include <new>
#include <string>

#include "core/error.h"

namespace addax::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

struct Free {
  void operator()(std::byte* p) const { ::operator delete[](p, kAlignment); }
};

struct Buffer {
  std::unique_ptr<std::byte[], Free> data;
  std::size_t bytes = 0;
};

}  // namespace

void* thread_scratch_bytes(Scratch use, std::size_t bytes) {
  thread_local std::array<Buffer, static_cast<std::size_t>(Scratch::kCount)> buffers;
  Buffer& buffer = buffers[static_cast<std::size_t>(use)];
  if (buffer.bytes < bytes) {
    buffer = {};
    void* memory = ::operator new[](bytes, kAlignment, std::nothrow);
    if (memory == nullptr) {
      throw OutOfMemoryError("[cpu] cannot allocate " + std::to_string(bytes) +
                             " bytes of scratch memory; use a smaller batch");
    }
    buffer.data.reset(static_cast<std::byte*>(memory));
    buffer.bytes = bytes;
  }
  return buffer.data.get();
}

}  // namespace addax::cpu
