// REST: requests of any kind, one after another on one file. Each gets one well-formed answer, and
// what is in force stays a file that parses and says what the answers say.
#include <boost/json.hpp>
#include <memory>

#include "fuzz/support/input.hpp"
#include "shell/api/memory_routes.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole::fuzz {
namespace {

constexpr auto kFile = R"(# a fleet
server:
  addresses: [198.51.100.10]
clients:
  a: {}
  b:              # the second
  c: {}
groups:
  g: [a, b]
flows:
  f:
    protocol: udp
    port: 5600
    from: [a]
    to: g
  r:
    protocol: udp
    port: 9000
    routes:
      - mesh: "*"
      - {from: a, to: [b, c]}
)";

/// Most requests have one of these; any other word comes as a chunk of the input.
constexpr const char* kMethods[] = {"GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"};
constexpr const char* kPaths[] = {
    "/v1",
    "/v1/config",
    "/v1/clients",
    "/v1/clients/a",
    "/v1/clients/a/status",
    "/v1/groups",
    "/v1/groups/g",
    "/v1/flows",
    "/v1/flows/f",
    "/v1/flows/f/routes",
    "/v1/flows/f/routes/0",
    "/v1/flows/f/members",
    "/v1/flows/f/members/a",
    "/v1/flows/r",
    "/v1/flows/r/routes",
    "/v1/flows/r/routes/1",
    "/v1/flows/r/members",
    "/v1/flows/r/members/c",
    "/v1/routes",
    "/v1/status",
};
constexpr const char* kTypes[] = {"application/json", "application/merge-patch+json", "text/plain"};

template <std::size_t N>
std::string word(Input& input, const char* const (&words)[N]) {
  const auto choice = input.byte();
  return choice < N ? words[choice] : std::string(as_text(input.take(choice - N)));
}

HttpRequest next_request(Input& input, const std::string& last_etag) {
  const auto conditions = input.byte();
  HttpRequest request;
  request.method = word(input, kMethods);
  request.path = word(input, kPaths);
  request.content_type = word(input, kTypes);
  request.query = as_text(input.take(input.byte()));
  if ((conditions & 1U) != 0) request.if_match = last_etag;
  if ((conditions & 2U) != 0) request.if_none_match = last_etag;
  if ((conditions & 4U) != 0) request.if_match = as_text(input.take(input.byte()));
  if ((conditions & 8U) != 0) request.authorization = as_text(input.take(input.byte()));
  request.body = as_text(input.chunk());
  return request;
}

void check_answer(const HttpResponse& response) {
  WH_ASSERT(response.status >= 200 && response.status < 600);
  if (response.status == 204 || response.status == 304) {
    WH_ASSERT(response.body.empty());
    return;
  }
  boost::system::error_code error;
  const auto body = boost::json::parse(response.body, error);
  WH_ASSERT(!error);
  if (response.status < 300) return;
  WH_ASSERT(response.content_type == "application/problem+json");
  WH_ASSERT(body.at("status") == response.status && !body.at("detail").as_string().empty());
  WH_ASSERT(response.status != 405 || !response.field("Allow").empty());
}

/// What is in force is a file, and says the same when it is read again.
void check_document(const RoutesDocument& document) {
  const auto again = parse_document(document.text, "routes.yaml");
  const auto* read = std::get_if<RoutesDocument>(&again);
  WH_ASSERT(read != nullptr && read->json == document.json);
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole;
  constexpr int kMostRequests = 16;
  crypto_init();
  fuzz::Input input(data, size);
  test::MemoryRoutes routes(fuzz::kFile);
  const TokenList tokens;
  const HttpHandler api =
      rest_api(routes.admin(), {[&tokens]() -> const TokenList& { return tokens; }, true});
  std::string etag;
  for (int i = 0; i < kMostRequests && !input.empty(); ++i) {
    const HttpRequest request = fuzz::next_request(input, etag);
    const auto before = routes.now;
    int answers = 0;
    api(request, [&](const HttpResponse& response) {
      ++answers;
      fuzz::check_answer(response);
      WH_ASSERT(response.status < 300 || routes.now == before);
      if (const auto tag = response.field("ETag"); !tag.empty()) etag = tag;
    });
    WH_ASSERT(answers == 1);
    if (routes.now != before) fuzz::check_document(*routes.now);
  }
  return 0;
}
