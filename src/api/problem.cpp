#include "problem.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

namespace wormhole {

namespace json = boost::json;

namespace {

/// 507 when there is no space left, which the message quotes from strerror(3); else 500.
unsigned storage_status(const std::string& message) {
  for (const int cause : {ENOSPC, EDQUOT}) {
    if (message.find(std::strerror(cause)) != std::string::npos) return 507;
  }
  return 500;
}

unsigned status_of(const EditRefusal& refusal, bool conditional) {
  switch (refusal.why) {
    case EditRefusal::Why::kNotFound:
      return 404;
    case EditRefusal::Why::kInvalid:
      return 422;
    case EditRefusal::Why::kConflict:
      return 409;
    case EditRefusal::Why::kStale:
      return conditional ? 412 : 409;
    case EditRefusal::Why::kStorage:
      return storage_status(refusal.message);
  }
  return 500;
}

std::string detail_of(const EditRefusal& refusal, bool conditional) {
  if (refusal.why != EditRefusal::Why::kStale) return refusal.message;
  if (conditional) {
    return "The precondition (If-Match or If-None-Match) does not hold for what is there now: read "
           "it again and decide anew.";
  }
  return "The routes of this flow have changed meanwhile: read them again and repeat.";
}

json::object problem_json(unsigned status, const std::string& detail) {
  namespace http = boost::beast::http;
  return {{"type", "about:blank"},
          {"title", std::string(http::obsolete_reason(http::int_to_status(status)))},
          {"status", status},
          {"detail", detail}};
}

HttpResponse answer(unsigned status, const json::object& body) {
  return {status, json::serialize(body), "application/problem+json"};
}

}  // namespace

HttpResponse problem(unsigned status, const std::string& detail) {
  return answer(status, problem_json(status, detail));
}

HttpResponse edit_problem(const EditRefusal& refusal, bool conditional) {
  const unsigned status = status_of(refusal, conditional);
  json::object body = problem_json(status, detail_of(refusal, conditional));
  json::array errors;
  for (const EditRefusal::Field& field : refusal.fields) {
    errors.push_back(json::object{{"field", field.path}, {"detail", field.message}});
  }
  if (!errors.empty()) body["errors"] = std::move(errors);
  return answer(status, body);
}

HttpResponse field_problem(const std::string& field, const std::string& message) {
  return edit_problem({EditRefusal::Why::kInvalid, field + ": " + message, {{field, message}}},
                      false);
}

}  // namespace wormhole
