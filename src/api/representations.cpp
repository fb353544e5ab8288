#include "representations.hpp"

#include <utility>

namespace wormhole {

const Representation* Representations::of(const std::shared_ptr<const RoutesDocument>& document,
                                          const std::string& address, const Resource& resource) {
  const auto forget = [this] {
    entries_.clear();
    bytes_ = 0;
  };
  if (document != std::exchange(document_, document)) forget();
  if (const auto found = entries_.find(address); found != entries_.end()) return &found->second;
  auto text = resource(*document);
  if (!text) return nullptr;
  const std::size_t size = address.size() + text->size();
  if (entries_.size() >= kMaxEntries || bytes_ + size > kMaxBytes) forget();
  bytes_ += size;
  std::string etag = etag_of(*text);
  return &entries_.insert_or_assign(address, Representation{std::move(*text), std::move(etag)})
              .first->second;
}

}  // namespace wormhole
