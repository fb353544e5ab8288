#include "rest_edit.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "json_body.hpp"
#include "problem.hpp"

namespace wormhole {

namespace json = boost::json;
using Action = EditValue::Action;

namespace {

/// "application/json; charset=utf-8" → "application/json"; media types have no case.
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find_first_of("; \t")));
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return type;
}

HttpResponse refuse_type(bool merge) {
  return problem(415, merge ? "The body has to be JSON: send 'Content-Type: "
                              "application/merge-patch+json' (RFC 7396) or application/json."
                            : "The body has to be JSON: send 'Content-Type: application/json'.");
}

RestEdit edit_entry(const std::string& section, const EditRequest& request, EditValue edit) {
  const std::string& name = request.names.front();
  edit.path = {section, name};
  const Resource value = entry(section, name);
  return {std::move(edit), value, value, "/v1/" + section + "/" + name};
}

}  // namespace

boost::system::result<json::value, HttpResponse> read_json(const HttpRequest& request, bool merge) {
  const std::string type = media_type(request.content_type);
  const bool patch = merge && type == "application/merge-patch+json";
  if (type != "application/json" && !patch) return refuse_type(merge);
  auto value = parse_json_body(request.body);
  if (!value) return problem(400, value.error().message);
  return std::move(*value);
}

EditOrRefusal put_entry(const std::string& section, const EditRequest& request) {
  auto value = read_json(request.http, false);
  if (!value) return value.error();
  return edit_entry(section, request, {Action::kPut, {}, std::move(*value)});
}

EditOrRefusal patch_entry(const std::string& section, const EditRequest& request) {
  auto value = read_json(request.http, true);
  if (!value) return value.error();
  const std::string& name = request.names.front();
  if (!entry(section, name)(request.document)) {
    return problem(404, "There is no " + name + " under " + section + " to change; PUT makes one.");
  }
  return edit_entry(section, request, {Action::kMerge, {}, std::move(*value)});
}

EditOrRefusal remove_entry(const std::string& section, const EditRequest& request) {
  return edit_entry(section, request, {Action::kRemove, {}, {}});
}

}  // namespace wormhole
