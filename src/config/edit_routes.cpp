#include <utility>

#include "config/document_json.hpp"
#include "config/json_edit.hpp"
#include "config/key_path.hpp"
#include "config/routes_tree.hpp"
#include "config/yaml_edit.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using Why = EditRefusal::Why;
using Edited = boost::system::result<RoutesDocument, EditRefusal>;

/// Lines of a text that nobody has seen yet help nobody.
std::string without_line_number(std::string message) {
  constexpr std::string_view kOnLine = " on line ";
  const auto at = message.find(kOnLine);
  if (at == message.npos) return message;
  const auto number = at + kOnLine.size();
  return message.erase(at, message.find_first_not_of("0123456789", number) - at);
}

EditRefusal invalid(std::vector<ConfigError> errors) {
  EditRefusal refusal{Why::kInvalid, "", {}};
  for (auto& error : errors) {
    refusal.fields.push_back(
        {std::move(error.path), without_line_number(std::move(error.message))});
  }
  const auto& first = refusal.fields.front();
  refusal.message = (first.path.empty() ? "" : first.path + ": ") + first.message;
  return refusal;
}

/// The text does not say what was asked for: our editor does not know the form of the file there.
EditRefusal not_by_program(const std::string& file) {
  return refuse(Why::kConflict, file +
                                    " is written in a way that a program can't edit here without "
                                    "changing more than was asked for; expected this edit to be "
                                    "made by hand");
}

JsonEdit wanted_json(const RoutesDocument& before, const RoutesEdit& edit) {
  if (const auto* member = std::get_if<EditMember>(&edit)) return edit_member(before, *member);
  return edit_value(before, std::get<EditValue>(edit));
}

}  // namespace

Edited edit_routes(const RoutesDocument& before, const RoutesEdit& edit, const std::string& file) {
  const auto wanted = wanted_json(before, edit);
  if (!wanted) return wanted.error();
  if (*wanted == before.json) return before;
  if (const auto foreign = find_foreign_json(*wanted)) {
    return refuse_field(foreign->path, foreign->message);
  }
  ErrorList errors(file);
  const auto old_root = read_tree(before.text, errors);
  auto text = old_root ? edit_yaml(before.text, *old_root, before.json, *wanted) : std::nullopt;
  if (!text) return not_by_program(file);
  if (text->size() > kMaxConfigBytes) {
    return refuse(Why::kInvalid, "the file would be larger than 8 MiB; expected a smaller edit");
  }
  const auto root = read_tree(*text, errors);
  if (!root || document_json(*root) != *wanted) return not_by_program(file);
  auto document = make_document(std::move(*text), *root, errors);
  if (!document) return invalid(errors.take());
  return std::move(*document);
}

}  // namespace wormhole
