// An administration of routes.yaml in memory, for tests of what stands on it.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "wormhole/api/rest_api.hpp"

namespace wormhole::test {

using DocumentPointer = std::shared_ptr<const RoutesDocument>;
using EditOutcome = boost::system::result<DocumentPointer, EditRefusal>;

/// `text` must be a valid file.
inline DocumentPointer document_of(std::string text) {
  auto parsed = parse_document(std::move(text), "routes.yaml");
  return std::make_shared<const RoutesDocument>(std::move(std::get<RoutesDocument>(parsed)));
}

/// JSON is YAML.
inline DocumentPointer document_of(const boost::json::value& json) {
  return document_of(boost::json::serialize(json) + "\n");
}

/// Edits documents as the server does, at once and without a file.
class MemoryRoutes {
 public:
  explicit MemoryRoutes(const std::string& text) : now(document_of(text)) {}

  RoutesAdmin admin() {
    return {[this] { return now; }, [this] { return status; },
            [this](const RoutesEdit& edit, const RoutesAdmin::Condition& condition,
                   const RoutesAdmin::OnEdit& done) { done(make(edit, condition)); }};
  }

  DocumentPointer now;
  DocumentPointer on_disk;  ///< what the disk has meanwhile, if not `now`
  ServerStatus status;
  std::optional<EditRefusal> refusal;  ///< the next edit fails with it
  int edits = 0;

 private:
  EditOutcome make(const RoutesEdit& edit, const RoutesAdmin::Condition& condition) {
    ++edits;
    if (refusal) return *std::exchange(refusal, std::nullopt);
    const RoutesDocument& before = on_disk ? *on_disk : *now;
    if (!condition(before)) return EditRefusal{EditRefusal::Why::kStale, "", {}};
    auto edited = edit_routes(before, edit, "routes.yaml");
    if (!edited) return edited.error();
    now = std::make_shared<const RoutesDocument>(std::move(*edited));
    on_disk.reset();
    return now;
  }
};

}  // namespace wormhole::test
