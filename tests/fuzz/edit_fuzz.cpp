// Edits of routes.yaml: any text with any edit gives a text that says what was asked for, or a
// refusal. The input is the text, a line "%%", and the edit as JSON: {"put": [PATH], "value": X},
// the same with merge and remove, or {"join": FLOW, "id": ID, "side": SIDE, "route": N}, or leave.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "config/document_json.hpp"
#include "config/yaml_edit.hpp"
#include "fuzz/support/input.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole::fuzz {
namespace {

namespace json = boost::json;

std::vector<std::string> path_of(const json::value& list) {
  std::vector<std::string> path;
  if (!list.is_array()) return path;
  for (const auto& key : list.get_array()) {
    if (key.is_string()) path.emplace_back(key.get_string());
  }
  return path;
}

std::string text_of(const json::object& map, std::string_view key) {
  const auto* value = map.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

EditMember read_member(const json::object& map, std::string_view verb) {
  EditMember edit{verb == "join", text_of(map, verb), text_of(map, "id"),
                  side_named(text_of(map, "side")), std::nullopt};
  const auto* route = map.if_contains("route");
  if (route != nullptr && route->is_int64()) {
    edit.route = static_cast<std::size_t>(route->get_int64());
  }
  return edit;
}

RoutesEdit read_edit(const json::object& map) {
  for (const auto* verb : {"join", "leave"}) {
    if (map.contains(verb)) return read_member(map, verb);
  }
  EditValue edit;
  if (const auto* value = map.if_contains("value")) edit.value = *value;
  using Action = EditValue::Action;
  for (const auto& [verb, action] :
       {std::pair{"put", Action::kPut}, {"merge", Action::kMerge}, {"remove", Action::kRemove}}) {
    if (const auto* path = map.if_contains(verb)) {
      edit.action = action;
      edit.path = path_of(*path);
    }
  }
  return edit;
}

void check_document(const RoutesDocument& document) {
  const auto again = parse_document(document.text, "routes.yaml");
  const auto* same = std::get_if<RoutesDocument>(&again);
  WH_ASSERT(same != nullptr && same->json == document.json &&
            same->network.flows == document.network.flows);
}

void check_refusal(const EditRefusal& refusal) {
  WH_ASSERT(!refusal.message.empty());
  WH_ASSERT((refusal.why == EditRefusal::Why::kInvalid) || refusal.fields.empty());
}

/// Texts that are YAML without being routes.yaml: their whole becomes the value.
void edit_any_yaml(const std::string& text, const json::value& wanted) {
  ErrorList errors("f");
  const auto root = parse_yaml(text, errors);
  if (!root || find_foreign_json(wanted)) return;
  const auto before = document_json(*root);
  const auto same = edit_yaml(text, *root, before, before);
  WH_ASSERT(same == text);
  edit_yaml(text, *root, before, wanted);
}

void run(const std::string& text, const std::string& edit_text) {
  boost::system::error_code error;
  const auto edit = json::parse(edit_text, error);
  if (error || !edit.is_object()) return;
  if (const auto* value = edit.get_object().if_contains("value")) edit_any_yaml(text, *value);
  const auto parsed = parse_document(text, "routes.yaml");
  const auto* document = std::get_if<RoutesDocument>(&parsed);
  if (document == nullptr) return;
  const auto result = edit_routes(*document, read_edit(edit.get_object()), "routes.yaml");
  if (result) {
    check_document(*result);
  } else {
    check_refusal(result.error());
  }
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole;
  crypto_init();
  constexpr std::string_view kLine = "\n%%\n";
  const std::string input(as_text({data, size}));
  const auto at = input.rfind(kLine);
  if (at == input.npos) return 0;
  fuzz::run(input.substr(0, at + 1), input.substr(at + kLine.size()));
  return 0;
}
