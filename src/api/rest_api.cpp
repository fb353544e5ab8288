#include "wormhole/api/rest_api.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "problem.hpp"
#include "representations.hpp"
#include "rest_access.hpp"
#include "rest_conditions.hpp"
#include "rest_congestion.hpp"
#include "rest_edit.hpp"
#include "rest_pairs.hpp"
#include "rest_status.hpp"
#include "router.hpp"
#include "uri.hpp"

namespace wormhole {

namespace {

using MakeEdit = std::function<EditOrRefusal(const EditRequest&)>;
using EditResult = boost::system::result<std::shared_ptr<const RoutesDocument>, EditRefusal>;

/// Deadlines and ages here are of seconds at most; no packet sees this time.
TimePoint api_now() { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }

constexpr std::size_t kNoPosition = std::numeric_limits<std::size_t>::max();

constexpr auto kIndex =
    R"({"paths":["/v1/config","/v1/clients","/v1/clients/{id}","/v1/clients/{id}/status",)"
    R"("/v1/groups","/v1/groups/{name}","/v1/flows","/v1/flows/{name}","/v1/flows/{name}/routes",)"
    R"("/v1/flows/{name}/routes/{position}","/v1/flows/{name}/members",)"
    R"("/v1/flows/{name}/members/{id}","/v1/routes","/v1/status","/v1/congestion"]})";

HttpResponse not_there(const std::string& path) {
  return problem(404, "There is no " + as_quotable(path) + " in routes.yaml.");
}

HttpResponse tagged(unsigned status, const Representation& what) {
  HttpResponse response{status, what.text};
  response.fields.push_back({"ETag", what.etag});
  return response;
}

/// What an answer to an edit needs when the request is gone.
struct EditAnswer {
  RestEdit edit;
  bool conditional = false;  ///< the request had preconditions
  std::optional<std::string> before;

  bool removes() const {
    if (const auto* member = std::get_if<EditMember>(&edit.edit)) return !member->join;
    return std::get<EditValue>(edit.edit).action == EditValue::Action::kRemove;
  }
  HttpResponse to(const EditResult& result) const;
};

HttpResponse EditAnswer::to(const EditResult& result) const {
  if (!result) return edit_problem(result.error(), conditional);
  if (removes()) return {204, ""};
  const auto text = edit.subject(**result);
  // Somebody removed it again before it came into force here.
  if (!text) return not_there(edit.location);
  const bool created = !before || std::holds_alternative<EditMember>(edit.edit);
  HttpResponse response = tagged(created ? 201 : 200, {*text, etag_of(*text)});
  if (created) response.fields.push_back({"Location", edit.location});
  return response;
}

std::optional<std::string> tag(const std::optional<std::string>& text) {
  return text ? std::optional(etag_of(*text)) : std::nullopt;
}

/// Free of references, because it is asked on another thread.
RoutesAdmin::Condition condition_of(const RestEdit& edit, const Preconditions& asked,
                                    const RoutesDocument& document) {
  std::optional<std::string> basis;
  if (edit.basis) basis = edit.basis(document);
  return [target = edit.target, compare = edit.basis, asked,
          basis = std::move(basis)](const RoutesDocument& now) {
    if (compare && compare(now) != basis) return false;
    return asked.empty() || asked.hold(tag(target(now)));
  };
}

/// A PUT of what is there already.
bool changes_nothing(const RestEdit& edit, const std::optional<std::string>& before) {
  const auto* value = std::get_if<EditValue>(&edit.edit);
  return value != nullptr && value->action == EditValue::Action::kPut && before &&
         *before == boost::json::serialize(value->value);
}

class RestApi {
 public:
  RestApi(RoutesAdmin admin, RestCallers callers)
      : admin_(std::move(admin)),
        access_(std::move(callers.tokens), callers.open_without_tokens),
        status_([this] { return counted_status(); }) {
    add_reads();
    add_status();
    add_edits();
  }
  void handle(const HttpRequest& request, const HttpReply& reply) {
    if (auto refusal = access_.refuse(request, api_now())) return reply(std::move(*refusal));
    router_.handle(request, reply);
  }

 private:
  void add_reads();
  void add_status();
  void add_edits();
  void add_read(std::string_view path, std::function<Resource(const PathNames&)> find);
  void add_edit(std::string_view method, std::string_view path, MakeEdit make);
  void get(const HttpRequest& request, const Resource& resource, const HttpReply& reply);
  void get_pairs(const HttpRequest& request, const HttpReply& reply);
  void edit(const HttpRequest& request, RestEdit edit, const HttpReply& reply);
  ServerStatus counted_status() const;

  RoutesAdmin admin_;
  RestAccess access_;
  StatusCache status_;
  Representations representations_;
  Router router_;
};

void RestApi::add_read(std::string_view path, std::function<Resource(const PathNames&)> find) {
  router_.add(
      "GET", path,
      [this, find = std::move(find)](const HttpRequest& request, const PathNames& names,
                                     const HttpReply& reply) { get(request, find(names), reply); });
}

void RestApi::add_edit(std::string_view method, std::string_view path, MakeEdit make) {
  router_.add(method, path,
              [this, make = std::move(make)](const HttpRequest& request, const PathNames& names,
                                             const HttpReply& reply) {
                const auto document = admin_.routes();
                EditOrRefusal made = make({request, names, *document});
                if (!made) return reply(made.error());
                edit(request, std::move(*made), reply);
              });
}

void RestApi::add_reads() {
  router_.add("GET", "/v1", [](const HttpRequest&, const PathNames&, const HttpReply& reply) {
    reply({200, kIndex});
  });
  add_read("/v1/config", [](const PathNames&) { return whole_document(); });
  for (const std::string name : {"clients", "groups", "flows"}) {
    add_read("/v1/" + name, [name](const PathNames&) { return section(name); });
    add_read("/v1/" + name + "/{name}",
             [name](const PathNames& names) { return entry(name, names[0]); });
  }
  add_read("/v1/flows/{name}/routes", [](const PathNames& names) { return routes_of(names[0]); });
  // A position that is no number is one that no list has.
  add_read("/v1/flows/{name}/routes/{position}", [](const PathNames& names) {
    return route_of(names[0], parse_count(names[1]).value_or(kNoPosition));
  });
  add_read("/v1/flows/{name}/members", [](const PathNames& names) { return members_of(names[0]); });
  add_read("/v1/flows/{name}/members/{id}",
           [](const PathNames& names) { return members_of(names[0], names[1]); });
  router_.add("GET", "/v1/routes",
              [this](const HttpRequest& request, const PathNames&, const HttpReply& reply) {
                get_pairs(request, reply);
              });
}

void RestApi::add_status() {
  router_.add("GET", "/v1/status",
              [this](const HttpRequest&, const PathNames&, const HttpReply& reply) {
                reply({200, status_.whole(api_now())});
              });
  router_.add("GET", "/v1/clients/{id}/status",
              [this](const HttpRequest& request, const PathNames& names, const HttpReply& reply) {
                const auto row = status_.client(names[0], api_now());
                reply(row ? HttpResponse{200, *row} : not_there(request.path));
              });
  router_.add("GET", "/v1/congestion",
              [this](const HttpRequest& request, const PathNames&, const HttpReply& reply) {
                const std::function known = [this](const std::string& id) {
                  return admin_.routes()->network.find_client(id) != nullptr;
                };
                reply(get_congestion(request, admin_.links, known));
              });
}

void RestApi::add_edits() {
  for (const std::string name : {"clients", "groups", "flows"}) {
    const std::string path = "/v1/" + name + "/{name}";
    const auto with = [&name](auto make) {
      return [name, make](const EditRequest& request) { return make(name, request); };
    };
    add_edit("PUT", path, with(put_entry));
    add_edit("PATCH", path, with(patch_entry));
    add_edit("DELETE", path, with(remove_entry));
  }
  add_edit("POST", "/v1/flows/{name}/routes", post_route);
  add_edit("PUT", "/v1/flows/{name}/routes/{position}", put_route);
  add_edit("DELETE", "/v1/flows/{name}/routes/{position}", remove_route);
  add_edit("POST", "/v1/flows/{name}/members", post_member);
  add_edit("DELETE", "/v1/flows/{name}/members/{id}", remove_member);
}

void RestApi::get(const HttpRequest& request, const Resource& resource, const HttpReply& reply) {
  const std::string key = request.query.empty() ? request.path : request.path + '?' + request.query;
  const Representation* found = representations_.of(admin_.routes(), key, resource);
  if (found == nullptr) return reply(not_there(request.path));
  if (matches(request.if_none_match, found->etag, true)) {
    return reply({304, "", "", {{"ETag", found->etag}}});
  }
  reply(tagged(200, *found));
}

void RestApi::get_pairs(const HttpRequest& request, const HttpReply& reply) {
  const auto parameters = parse_query(request.query);
  if (!parameters) {
    return reply(problem(400, "The query is badly encoded or names a parameter twice."));
  }
  auto query = parse_pair_query(*parameters);
  if (!query) return reply(problem(400, query.error().message));
  get(request, pairs(std::move(*query)), reply);
}

void RestApi::edit(const HttpRequest& request, RestEdit edit, const HttpReply& reply) {
  const auto document = admin_.routes();
  const Preconditions asked = Preconditions::of(request);
  auto before = edit.subject(*document);
  if (!asked.empty() && !asked.hold(tag(edit.target(*document)))) {
    return reply(edit_problem({EditRefusal::Why::kStale, "", {}}, true));
  }
  if (changes_nothing(edit, before)) return reply(tagged(200, {*before, etag_of(*before)}));
  auto condition = condition_of(edit, asked, *document);
  RoutesEdit what = edit.edit;
  EditAnswer answer{std::move(edit), !asked.empty(), std::move(before)};
  admin_.edit(
      std::move(what), std::move(condition),
      [answer = std::move(answer), reply](const EditResult& result) { reply(answer.to(result)); });
}

ServerStatus RestApi::counted_status() const {
  ServerStatus status = admin_.status();
  status.counters.emplace_back("rest_unauthorized", access_.unauthorized());
  status.counters.emplace_back("rest_throttled", access_.throttled());
  status.counters.emplace_back("rest_forbidden", access_.forbidden());
  return status;
}

}  // namespace

HttpHandler rest_api(RoutesAdmin admin, RestCallers callers) {
  const auto api = std::make_shared<RestApi>(std::move(admin), std::move(callers));
  return [api](const HttpRequest& request, const HttpReply& reply) { api->handle(request, reply); };
}

}  // namespace wormhole
