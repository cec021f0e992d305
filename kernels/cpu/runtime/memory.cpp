#include "cpu/runtime/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/error.h"

namespace addax::cpu {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kHugePage = uint64_t{2} << 20;

uint64_t round_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The first number in a file of the kernel's, or `otherwise`.
uint64_t read_number(const char* path, uint64_t otherwise) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : otherwise;
}

uint64_t find_total_memory() {
  const auto pages = static_cast<uint64_t>(std::max(0L, sysconf(_SC_PHYS_PAGES)));
  const auto machine = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min({machine, read_number("/sys/fs/cgroup/memory.max", machine),
                   read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", machine)});
}

}  // namespace

uint64_t total_memory() {
  static const uint64_t bytes = find_total_memory();
  return bytes;
}

uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  uint64_t kilobytes = 0;
  while (file >> key >> kilobytes && std::getline(file, unit)) {
    if (key == "MemAvailable:") return std::min(kilobytes << 10, total_memory());
  }
  return 0;
}

AlignedMemory::AlignedMemory(uint64_t bytes) : size_(bytes) {
  const bool huge = bytes >= kHugePage;
  const uint64_t alignment = huge ? kHugePage : kAlignment;
  // Linux promises more memory than there is and kills the process that believes it.
  if (bytes <= total_memory()) {
    data_.reset(static_cast<std::byte*>(
        // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): data_ owns it.
        std::aligned_alloc(alignment, round_up(std::max<uint64_t>(bytes, 1), alignment))));
  }
  if (!data_) {
    throw OutOfMemoryError("[cpu] cannot allocate " + std::to_string(bytes) + " bytes; " +
                           std::to_string(available_memory()) + " of " +
                           std::to_string(total_memory()) +
                           " are available. Use a smaller batch or free other tensors");
  }
#if defined(MADV_HUGEPAGE)
  if (huge) madvise(data_.get(), round_up(bytes, kHugePage), MADV_HUGEPAGE);
#endif
}

void AlignedMemory::Release::operator()(std::byte* data) const {
  std::free(data);  // NOLINT(cppcoreguidelines-owning-memory): what data_ owned.
}

}  // namespace addax::cpu
