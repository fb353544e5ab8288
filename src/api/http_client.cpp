#include "wormhole/api/http_client.hpp"

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <tuple>

#include "local_stream.hpp"

namespace wormhole {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

using Outcome = std::variant<HttpAnswer, HttpFailure>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
/// The status of 10,000 clients is some 2 MiB.
constexpr std::uint64_t kMaxAnswerBytes = std::uint64_t{8} << 20;

std::string name_of(const HttpTarget& target) {
  if (const auto* endpoint = std::get_if<Endpoint>(&target)) return endpoint->to_string();
  return std::get<UnixPath>(target).path;
}

LocalStream::endpoint address_of(const HttpTarget& target) {
  if (const auto* endpoint = std::get_if<Endpoint>(&target)) return to_asio(*endpoint);
  return asio::local::stream_protocol::endpoint(std::get<UnixPath>(target).path);
}

HttpFailure failure(const std::string& name, const error_code& why) {
  const bool nobody = why == asio::error::connection_refused ||
                      why == boost::system::errc::no_such_file_or_directory;
  return {nobody, "no answer from " + name + ": " + why.message()};
}

asio::awaitable<void> exchange(LocalStream::endpoint to, const std::string& name,
                               const http::request<http::string_body>& request,
                               std::optional<Outcome>& outcome) {
  LocalStream::socket socket(co_await asio::this_coro::executor);
  auto [error] = co_await socket.async_connect(to, kAwait);
  if (!error) std::tie(error, std::ignore) = co_await http::async_write(socket, request, kAwait);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxAnswerBytes);
  if (!error) {
    std::tie(error, std::ignore) = co_await http::async_read(socket, buffer, parser, kAwait);
  }
  if (error) {
    outcome = failure(name, error);
  } else {
    outcome = HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
  }
}

}  // namespace

Outcome http_request(const HttpTarget& target, const std::string& method, const std::string& path,
                     const std::string& body, std::chrono::milliseconds timeout) {
  const std::string name = name_of(target);
  if (std::holds_alternative<UnixPath>(target) && name.size() > kMaxUnixPath) {
    return HttpFailure{true, "no answer from " + name + ": no socket can have so long a path"};
  }
  http::request<http::string_body> request{http::string_to_verb(method), path, 11, body};
  request.set(http::field::host, "localhost");
  request.set(http::field::connection, "close");
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.prepare_payload();

  std::optional<Outcome> outcome;
  asio::io_context io{1};
  asio::co_spawn(io, exchange(address_of(target), name, request, outcome), asio::detached);
  io.run_for(timeout);
  if (outcome) return *outcome;
  return HttpFailure{
      false, "no answer from " + name + " within " + std::to_string(timeout.count()) + " ms"};
}

}  // namespace wormhole
