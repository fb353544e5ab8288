#include "router.hpp"

#include <algorithm>

#include "uri.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace {

bool is_open(const std::string& segment) { return segment.starts_with('{'); }

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                    [](const std::string& want, const std::string& have) {
                      return is_open(want) ? !have.empty() : want == have;
                    });
}

HttpResponse not_found(const std::string& path) {
  return problem(404, "There is nothing at " + as_quotable(path) + ".");
}

}  // namespace

void Router::add(std::string_view method, std::string_view path_template, PathHandler handler) {
  const auto segments = *split_path(path_template);
  auto place = std::find_if(places_.begin(), places_.end(),
                            [&segments](const Place& p) { return p.segments == segments; });
  if (place == places_.end()) place = places_.insert(place, {segments, {}});
  place->methods.push_back({std::string(method), std::move(handler)});
}

const Router::Place* Router::find(const std::vector<std::string>& path) const {
  const auto found = std::find_if(places_.begin(), places_.end(),
                                  [&path](const Place& p) { return fits(p.segments, path); });
  return found == places_.end() ? nullptr : &*found;
}

void Router::handle(const HttpRequest& request, const HttpReply& reply) const {
  const auto path = split_path(request.path);
  if (!path) return reply(problem(400, "The path is not an absolute one or is badly encoded."));
  const Place* place = find(*path);
  if (place == nullptr) return reply(not_found(request.path));
  PathNames names;
  for (std::size_t i = 0; i < path->size(); ++i) {
    if (!is_open(place->segments[i])) continue;
    if (!is_valid_name((*path)[i])) {
      return reply(problem(400, "The path has at " + place->segments[i] +
                                    " what is no name: expected 1 to 63 of a-z A-Z 0-9 . _ -, "
                                    "first a letter or digit."));
    }
    names.push_back((*path)[i]);
  }
  std::string allow;
  for (const Method& method : place->methods) {
    if (method.name == request.method) return method.handler(request, names, reply);
    allow += (allow.empty() ? "" : ", ") + method.name;
  }
  HttpResponse refusal = problem(405, as_quotable(request.path) + " takes " + allow + " only.");
  refusal.fields.push_back({"Allow", allow});
  reply(std::move(refusal));
}

HttpHandler route(std::vector<HttpRoute> routes) {
  Router router;
  for (HttpRoute& entry : routes) {
    router.add(
        entry.method, entry.path,
        [handler = std::move(entry.handler)](const HttpRequest& request, const PathNames&,
                                             const HttpReply& reply) { handler(request, reply); });
  }
  return [router = std::move(router)](const HttpRequest& request, const HttpReply& reply) {
    router.handle(request, reply);
  };
}

}  // namespace wormhole
