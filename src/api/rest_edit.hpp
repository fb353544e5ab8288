// From a request that changes something to an edit of the document.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "rest_resource.hpp"
#include "router.hpp"
#include "uri.hpp"
#include "wormhole/api/http_server.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {

/// One change, and how it is answered.
struct RestEdit {
  RoutesEdit edit;
  Resource target;       ///< at the request's path: what the preconditions are about
  Resource subject;      ///< what the answer shows, unless it was removed
  std::string location;  ///< the subject's address
  /// What the edit was computed from: must not have changed when it is made. Empty: nothing.
  Resource basis{};
};
/// Or the answer that says what is wrong with the request.
using EditOrRefusal = boost::system::result<RestEdit, HttpResponse>;

/// The parts of a request that an edit is made of.
struct EditRequest {
  const HttpRequest& http;
  const PathNames& names;
  const RoutesDocument& document;  ///< in force
};

EditOrRefusal put_entry(const std::string& section, const EditRequest& request);
EditOrRefusal patch_entry(const std::string& section, const EditRequest& request);
EditOrRefusal remove_entry(const std::string& section, const EditRequest& request);

EditOrRefusal post_route(const EditRequest& request);
EditOrRefusal put_route(const EditRequest& request);
EditOrRefusal remove_route(const EditRequest& request);

EditOrRefusal post_member(const EditRequest& request);
EditOrRefusal remove_member(const EditRequest& request);

/// The JSON of a body, or the refusal of its type (415) or text (400). `merge`: a merge patch
/// (RFC 7396) is taken too.
boost::system::result<boost::json::value, HttpResponse> read_json(const HttpRequest& request,
                                                                  bool merge);

}  // namespace wormhole
