// Much address space, little memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wormhole {

/// Page-aligned memory of which only pages that something was written to are resident.
class SparseMemory {
 public:
  /// Ends the process when the system has no address space left.
  explicit SparseMemory(std::size_t bytes);
  ~SparseMemory();
  SparseMemory(const SparseMemory&) = delete;
  SparseMemory& operator=(const SparseMemory&) = delete;

  std::uint8_t* data() const { return data_; }

 private:
  std::uint8_t* data_;
  std::size_t bytes_;
};

}  // namespace wormhole
