#include "http_connection.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstring>
#include <sstream>
#include <string>

#include "wormhole/api/http_feed.hpp"

namespace wormhole {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
/// A request takes some 40 µs, so packets wait for 0.3 ms of them, however many callers there are.
constexpr unsigned kRequestsPerTurn = 8;
/// A comment this often shows that the listener is there; proxies cut after 30 s of silence or
/// more.
constexpr std::chrono::seconds kHeartbeat{15};
constexpr auto kHeartbeatText = ":\n\n";  // WHATWG HTML, 9.2.5: a comment

HttpRequest to_request(http::request<http::string_body>& message, const IpAddress& from) {
  const std::string_view target = message.target();
  const std::size_t mark = std::min(target.find('?'), target.size());
  const auto field = [&message](http::field name) { return std::string(message[name]); };
  return {message.method() == http::verb::head ? "GET" : std::string(message.method_string()),
          std::string(target.substr(0, mark)),
          std::move(message.body()),
          std::string(target.substr(std::min(mark + 1, target.size()))),
          field(http::field::content_type),
          field(http::field::authorization),
          field(http::field::if_match),
          field(http::field::if_none_match),
          from};
}

/// Who calls; unspecified on a unix socket.
IpAddress caller_of(const LocalStream::socket& socket) {
  error_code error;
  const LocalStream::endpoint remote = socket.remote_endpoint(error);
  if (error || remote.protocol().family() == AF_UNIX) return {};
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), remote.data(), std::min(remote.size(), tcp.capacity()));
  return from_asio(tcp.address());
}

/// These never have content, nor a length of it (RFC 9110 8.6).
bool is_bodiless(unsigned status) { return status == 204 || status == 304; }

http::response<http::string_body> to_message(HttpResponse response, const HttpForm& form) {
  http::response<http::string_body> message{http::int_to_status(response.status), form.version};
  // What has a tag may be kept, but is asked for again each time; the rest is old at once.
  const bool tagged = !response.field("ETag").empty();
  message.set(http::field::cache_control, tagged ? "no-cache" : "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const HttpField& field : response.fields) message.set(field.name, field.value);
  message.keep_alive(form.keep_alive);
  if (is_bodiless(response.status)) return message;
  message.set(http::field::content_type, response.content_type);
  message.content_length(response.body.size());
  if (!form.head_only) message.body() = std::move(response.body);
  return message;
}

/// The head of an answer that ends with its connection.
std::string endless_head(const HttpResponse& response, unsigned version) {
  http::response<http::empty_body> head{http::int_to_status(response.status), version};
  head.set(http::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  head.set(http::field::content_type, response.content_type);
  head.keep_alive(false);
  std::ostringstream text;
  text << head.base();
  return text.str();
}

/// Best effort for a caller beyond the limit: a fresh socket's send buffer takes it at once.
void turn_away(LocalStream::socket& socket, const HttpLimits& limits) {
  const auto message = to_message(
      problem(503, "There are " + std::to_string(limits.connections) + " connections already."),
      {});
  error_code ignored;
  socket.non_blocking(true, ignored);
  http::write(socket, message, ignored);
  socket.shutdown(LocalStream::socket::shutdown_both, ignored);
}

}  // namespace

struct HttpConnections::Connection {
  Connection(LocalStream::socket&& s, std::uint64_t n)
      : number(n),
        socket(std::move(s)),
        from(caller_of(socket)),
        deadline(socket.get_executor()),
        answered(socket.get_executor()) {}

  std::uint64_t number;
  LocalStream::socket socket;
  IpAddress from;
  asio::steady_timer deadline;
  asio::steady_timer answered;  ///< never expires; cancelled when `response` is there
  beast::flat_buffer buffer;
  bool timed_out = false;
  bool answering = false;
  std::optional<HttpResponse> response;
  std::optional<HttpFeed::Listener> listener;
  bool left = false;  ///< a listener has closed, or said what it has no business to say
};

HttpConnections::HttpConnections(asio::io_context& io, HttpHandler handler, HttpLimits limits,
                                 HostNames hosts)
    : io_(io), handler_(std::move(handler)), limits_(limits), hosts_(std::move(hosts)) {}

HttpConnections::~HttpConnections() = default;

void HttpConnections::add(LocalStream::socket socket) {
  if (closed_) return;
  if (connections_.size() >= limits_.connections) return turn_away(socket, limits_);
  const std::uint64_t number = next_number_++;
  auto& entry = connections_[number];
  entry = std::make_unique<Connection>(std::move(socket), number);
  asio::co_spawn(io_, serve(*entry), asio::detached);
}

void HttpConnections::close_all() {
  closed_ = true;
  for (auto& [number, connection] : connections_) {
    error_code ignored;
    connection->socket.close(ignored);
    connection->deadline.cancel();
    connection->answered.cancel();
    connection->listener.reset();
  }
}

asio::awaitable<void> HttpConnections::serve(Connection& c) {
  const std::uint64_t number = c.number;
  Next next = Next::kKeep;
  while (next == Next::kKeep) {
    const bool more = co_await has_more(c);
    if (!more) break;
    co_await take_turn();
    next = co_await exchange(c);
  }
  if (next == Next::kClose) co_await drain(c);
  connections_.erase(number);
}

/// Waits for the next request's first byte; false when the caller has left or stays idle.
asio::awaitable<bool> HttpConnections::has_more(Connection& c) {
  if (c.buffer.size() > 0) co_return true;
  arm(c);
  const auto [error] = co_await c.socket.async_wait(LocalStream::socket::wait_read, kAwait);
  co_return !error && !c.timed_out;
}

/// Waits while this turn of the loop has had its share of requests. What is posted runs behind the
/// next look at the sockets, so packets come in between.
asio::awaitable<void> HttpConnections::take_turn() {
  while (turns_ == kRequestsPerTurn) co_await asio::post(io_, kAwait);
  if (turns_++ == 0) asio::post(io_, [this] { turns_ = 0; });
}

asio::awaitable<HttpConnections::Next> HttpConnections::exchange(Connection& c) {
  arm(c);
  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(limits_.body_bytes);
  const auto [error, size] = co_await http::async_read(c.socket, c.buffer, parser, kAwait);
  if (error) {
    std::optional<HttpResponse> refusal = refuse_unreadable(error, limits_);
    if (c.timed_out) refusal = problem(408, "The request was not complete in time.");
    if (refusal) co_await write(c, *refusal, {});
    co_return Next::kClose;
  }
  auto message = parser.release();
  std::optional<HttpResponse> response = refuse_header(message, hosts_);
  const HttpRequest request = to_request(message, c.from);
  if (!response) response = co_await answer(c, request);
  const bool keep_alive = message.keep_alive() && !c.timed_out;
  const bool head_only = message.method() == http::verb::head;
  if (response->feed != nullptr && !head_only) {
    co_await follow(c, *response);
    co_return Next::kClose;
  }
  co_await write(c, *response, {message.version(), keep_alive, head_only});
  co_return keep_alive ? Next::kKeep : Next::kClose;
}

asio::awaitable<HttpResponse> HttpConnections::answer(Connection& c, const HttpRequest& request) {
  c.response.reset();
  c.answering = true;
  const HttpReply reply = [this, number = c.number](HttpResponse response) {
    on_reply(number, std::move(response));
  };
  handler_(request, reply);
  // A request that was read when close_all() came is handled after it: nobody would cancel its
  // wait.
  if (!c.response && !closed_) {
    c.answered.expires_at(asio::steady_timer::time_point::max());
    co_await c.answered.async_wait(kAwait);
  }
  c.answering = false;
  if (!c.response) co_return problem(503, "The answer did not come in time.");
  co_return std::move(*c.response);
}

void HttpConnections::on_reply(std::uint64_t number, HttpResponse response) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection& c = *found->second;
  if (!c.answering || c.response) return;
  c.response = std::move(response);
  c.answered.cancel();
}

asio::awaitable<void> HttpConnections::write(Connection& c, HttpResponse& response,
                                             const HttpForm& form) {
  const auto message = to_message(std::move(response), form);
  // A caller that was late gets as long again to take the answer.
  if (c.timed_out) arm(c);
  const auto [error, size] = co_await http::async_write(c.socket, message, kAwait);
  error_code ignored;
  if (error) c.socket.close(ignored);
}

/// Writes what the feed publishes until the listener leaves, or is cut.
asio::awaitable<void> HttpConnections::follow(Connection& c, HttpResponse& response) {
  c.listener.emplace(*response.feed, [&c] {
    if (!c.listener->is_cut()) return static_cast<void>(c.answered.cancel());
    error_code ignored;
    c.socket.close(ignored);
  });
  watch_for_end(c);
  bool goes_on = co_await push(c, endless_head(response, 11) + response.body);
  while (goes_on && c.listener && !c.left && !c.listener->is_cut()) {
    if (c.listener->waiting().empty()) {
      c.answered.expires_after(kHeartbeat);
      co_await c.answered.async_wait(kAwait);
      if (!c.listener || c.left) break;
    }
    std::string text = c.listener->take();
    if (text.empty()) text = kHeartbeatText;
    goes_on = co_await push(c, text);
  }
  if (c.timed_out && c.listener) c.listener->note_stalled();
  c.listener.reset();
}

asio::awaitable<bool> HttpConnections::push(Connection& c, const std::string& text) {
  arm(c);
  const auto [error, size] = co_await asio::async_write(c.socket, asio::buffer(text), kAwait);
  disarm(c);
  co_return !error;
}

void HttpConnections::watch_for_end(Connection& c) {
  c.socket.async_wait(LocalStream::socket::wait_read, [this, number = c.number](const error_code&) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) return;
    found->second->left = true;
    found->second->answered.cancel();
  });
}

/// Reads on until the caller has read our last answer and closes: a close with unread input would
/// reset the connection and could destroy that answer.
asio::awaitable<void> HttpConnections::drain(Connection& c) {
  error_code failed;
  c.socket.shutdown(LocalStream::socket::shutdown_send, failed);
  arm(c);
  std::array<char, 4096> scratch;
  while (!failed && !c.timed_out) {
    const auto [error, size] = co_await c.socket.async_read_some(asio::buffer(scratch), kAwait);
    failed = error;
  }
  c.deadline.cancel();
}

void HttpConnections::arm(Connection& c) {
  c.timed_out = false;
  c.deadline.expires_after(limits_.request_time);
  c.deadline.async_wait([this, number = c.number](const error_code& aborted) {
    if (!aborted) on_deadline(number);
  });
}

/// A call that is on its way already sees that the deadline is later.
void HttpConnections::disarm(Connection& c) {
  c.deadline.expires_at(asio::steady_timer::time_point::max());
}

void HttpConnections::on_deadline(std::uint64_t number) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection& c = *found->second;
  // Armed anew while this call was on its way.
  if (c.deadline.expiry() > std::chrono::steady_clock::now()) return;
  c.timed_out = true;
  error_code ignored;
  c.socket.cancel(ignored);
  c.answered.cancel();
}

}  // namespace wormhole
