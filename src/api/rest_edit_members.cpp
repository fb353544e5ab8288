// Edits of who is in a flow.
#include <boost/json.hpp>

#include "problem.hpp"
#include "rest_edit.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

constexpr auto kSides = "expected from, to, first, second or mesh";

std::string text_of(const json::value& value) {
  const json::string* text = value.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

/// Sets one member of {"id": …, "side": …, "route": …}; the refusal says what is wrong with it.
std::optional<HttpResponse> set_member(EditMember& edit, const std::string& key,
                                       const json::value& value) {
  if (key == "id") {
    edit.id = text_of(value);
    if (is_valid_name(edit.id)) return std::nullopt;
    return field_problem(key, "is no ID; expected a name under clients");
  }
  if (key == "side") {
    edit.side = side_named(text_of(value));
    if (edit.side) return std::nullopt;
    return field_problem(key, std::string("is no side; ") + kSides);
  }
  if (key == "route") {
    const auto* position = value.if_int64();
    if (position == nullptr || *position < 0) {
      return field_problem(key, "is no position; expected 0 or more");
    }
    edit.route = static_cast<std::size_t>(*position);
    return std::nullopt;
  }
  return field_problem(key, "unknown key; expected id, side and, if needed, route");
}

RestEdit edit_member(EditMember edit) {
  const Resource places = members_of(edit.flow, edit.id);
  const Resource target = edit.join ? members_of(edit.flow) : places;
  std::string location = "/v1/flows/" + edit.flow + "/members/" + edit.id;
  return {std::move(edit), target, places, std::move(location)};
}

}  // namespace

EditOrRefusal post_member(const EditRequest& request) {
  const auto body = read_json(request.http, false);
  if (!body) return body.error();
  const json::object* members = body->if_object();
  if (members == nullptr) {
    return problem(422, R"(The body is not a map such as {"id": "gcs5", "side": "to"}.)");
  }
  EditMember edit;
  edit.flow = request.names.front();
  for (const auto& member : *members) {
    if (auto refusal = set_member(edit, std::string(member.key()), member.value())) return *refusal;
  }
  if (edit.id.empty()) return field_problem("id", "is missing; expected a name under clients");
  return edit_member(std::move(edit));
}

EditOrRefusal remove_member(const EditRequest& request) {
  EditMember edit;
  edit.join = false;
  edit.flow = request.names[0];
  edit.id = request.names[1];
  const auto query = parse_query(request.http.query);
  if (!query) return problem(400, "The query is badly encoded or names a parameter twice.");
  for (const auto& [name, value] : *query) {
    if (name == "side" && side_named(value)) {
      edit.side = side_named(value);
    } else if (name == "route" && parse_count(value)) {
      edit.route = parse_count(value);
    } else {
      return problem(400, "The query's " + as_quotable(name) + " is not understood; " + kSides +
                              " as side, and a position as route.");
    }
  }
  return edit_member(std::move(edit));
}

}  // namespace wormhole
