// An administration of routes.yaml in memory, for tests of what stands on it.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "wormhole/api/rest_api.hpp"

namespace wormhole::test {

using DocumentPointer = std::shared_ptr<const RoutesDocument>;
using EditOutcome = boost::system::result<DocumentPointer, EditRefusal>;

/// JSON is YAML: a text that is JSON serves as the file.
inline EditOutcome document_of(const boost::json::value& json) {
  RoutesDocument document{boost::json::serialize(json) + "\n", {}, json};
  auto parsed = parse_routes(document.text, "routes.yaml");
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
    EditRefusal refusal{EditRefusal::Why::kInvalid, errors->front().to_string(), {}};
    for (const ConfigError& error : *errors) refusal.fields.push_back({error.path, error.message});
    return refusal;
  }
  document.network = std::move(std::get<Network>(parsed));
  return std::make_shared<const RoutesDocument>(std::move(document));
}

/// Edits documents as the server does, at once and without a file.
class MemoryRoutes {
 public:
  explicit MemoryRoutes(const std::string& text) : now(*document_of(boost::json::parse(text))) {}

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
    if (!condition(on_disk ? *on_disk : *now)) return refuse(EditRefusal::Why::kStale);
    boost::json::value json = (on_disk ? on_disk : now)->json;
    const auto* value = std::get_if<EditValue>(&edit);
    if (value != nullptr ? !apply(json, *value) : !apply(json, std::get<EditMember>(edit))) {
      return refuse(EditRefusal::Why::kNotFound);
    }
    auto outcome = document_of(json);
    if (outcome) now = *outcome;
    return outcome;
  }
  static EditRefusal refuse(EditRefusal::Why why) { return {why, "There is no such thing.", {}}; }

  /// False when there is nothing at the path.
  static bool apply(boost::json::value& json, const EditValue& edit) {
    boost::json::value* at = &json;
    for (std::size_t i = 0; i + 1 < edit.path.size(); ++i) at = step(*at, edit.path[i]);
    const std::string& last = edit.path.back();
    if (at->is_array()) {
      auto& list = at->get_array();
      if (last == "-") return list.push_back(edit.value), true;
      const std::size_t position = std::stoul(last);
      if (edit.action == EditValue::Action::kRemove) {
        return list.erase(list.begin() + static_cast<std::ptrdiff_t>(position)), true;
      }
      return list[position] = edit.value, true;
    }
    auto& object = at->as_object();
    if (edit.action == EditValue::Action::kRemove) return object.erase(last) != 0;
    if (edit.action == EditValue::Action::kPut) return object[last] = edit.value, true;
    return merge(object[last], edit.value), true;
  }
  static boost::json::value* step(boost::json::value& at, const std::string& key) {
    return at.is_array() ? &at.get_array()[std::stoul(key)] : &at.as_object()[key];
  }
  static void merge(boost::json::value& target, const boost::json::value& patch) {
    if (!patch.is_object()) return void(target = patch);
    if (!target.is_object()) target.emplace_object();
    for (const auto& member : patch.get_object()) {
      if (member.value().is_null()) {
        target.get_object().erase(member.key());
      } else {
        merge(target.get_object()[member.key()], member.value());
      }
    }
  }
  /// Knows lists at "from" and "to" of a flow with one route.
  static bool apply(boost::json::value& json, const EditMember& edit) {
    auto* flow = json.at("flows").as_object().if_contains(edit.flow);
    if (flow == nullptr) return false;
    auto& side = flow->as_object()[side_name(edit.side.value_or(Side::kTo))];
    if (!side.is_array()) side = boost::json::array{side};
    auto& list = side.get_array();
    auto* found = std::find(list.begin(), list.end(), boost::json::value(edit.id));
    if (edit.join && found == list.end()) list.push_back(boost::json::value(edit.id));
    if (!edit.join && found == list.end()) return false;
    if (!edit.join) list.erase(found);
    return true;
  }
};

}  // namespace wormhole::test
