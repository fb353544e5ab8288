#include "shell/sparse_memory.hpp"

#include <sys/mman.h>

#include "wormhole/base/result.hpp"

namespace wormhole {

SparseMemory::SparseMemory(std::size_t bytes) : bytes_(bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  WH_ASSERT(memory != MAP_FAILED);
  // One huge page would make 2 MiB resident with the first datagram.
  (void)::madvise(memory, bytes, MADV_NOHUGEPAGE);
  data_ = static_cast<std::uint8_t*>(memory);
}

SparseMemory::~SparseMemory() { ::munmap(data_, bytes_); }

}  // namespace wormhole
