// What has been asked for of the document in force, kept until it changes.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "rest_resource.hpp"

namespace wormhole {

struct Representation {
  std::string text;
  std::string etag;
};

/// Representations by address, of one document. When the next one would go over a limit all are
/// thrown away and made again as they are asked for.
class Representations {
 public:
  /// A dashboard asks for some dozens of addresses; the largest is the whole file of 8 MiB.
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

  /// The resource at `address` in the document; null when it is not there, which is not kept. Valid
  /// until the next call.
  const Representation* of(const std::shared_ptr<const RoutesDocument>& document,
                           const std::string& address, const Resource& resource);

 private:
  std::shared_ptr<const RoutesDocument> document_;
  std::map<std::string, Representation, std::less<>> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace wormhole
