// What is wrong in a file, collected while reading on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "wormhole/config/routes_file.hpp"

namespace wormhole {

/// Line and column from 1; columns count bytes.
struct Place {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Keeps the first kMaxShown errors and counts the rest: a person mends a file in rounds, and a
/// hostile one must not fill the memory.
class ErrorList {
 public:
  static constexpr std::size_t kMaxShown = 20;

  explicit ErrorList(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  void add(Place place, std::string path, std::string message);
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  /// True when further errors are only counted: costly suggestions are then not worth making.
  bool full() const { return count_ >= kMaxShown; }
  /// The errors in the file's order, and "and N more" at the end where some were only counted.
  std::vector<ConfigError> take();

 private:
  std::string file_;
  std::vector<ConfigError> errors_;
  std::size_t count_ = 0;
};

}  // namespace wormhole
