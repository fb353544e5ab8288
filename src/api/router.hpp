// From method and path to a handler.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/api/http_server.hpp"

namespace wormhole {

/// What stands in a path at the places that its template leaves open, in order. All valid names.
using PathNames = std::vector<std::string>;
using PathHandler = std::function<void(const HttpRequest&, const PathNames&, const HttpReply&)>;

/// Paths with open places: "/v1/flows/{flow}/members/{id}".
class Router {
 public:
  void add(std::string_view method, std::string_view path_template, PathHandler handler);
  /// Answers 404 for an unknown path, 405 with Allow for another method, and 400 when the path is
  /// badly encoded or has at an open place what is no name.
  void handle(const HttpRequest& request, const HttpReply& reply) const;

 private:
  struct Method {
    std::string name;
    PathHandler handler;
  };
  struct Place {
    std::vector<std::string> segments;
    std::vector<Method> methods;
  };
  const Place* find(const std::vector<std::string>& path) const;

  std::vector<Place> places_;
};

}  // namespace wormhole
