// Errors as answers (RFC 9457).
#pragma once

#include <string>

#include "wormhole/api/http_server.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {

/// The answer for an edit that was not made. `conditional`: the caller had set a precondition, so a
/// stale edit is its answer; else something has changed meanwhile, and it may try again.
HttpResponse edit_problem(const EditRefusal& refusal, bool conditional);

/// 422 that names one member of the body.
HttpResponse field_problem(const std::string& field, const std::string& message);

}  // namespace wormhole
