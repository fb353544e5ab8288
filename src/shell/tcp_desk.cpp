#include "shell/tcp_desk.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "shell/bind_error.hpp"

namespace wormhole {

int TcpDesk::open(AppPort port, const std::string& flow, const Endpoint& at) {
  auto listener = TcpListener::open(
      io_, at,
      {[this, port](FileDescriptor socket, const Endpoint& application) {
         accept(port, std::move(socket), application);
       },
       [this, port, flow, at](int error) { fail(port, explain_tcp_port(error, flow, at)); },
       [this] { core_.settle(); }});
  if (!listener) return listener.error();
  listeners_.insert_or_assign(port, std::move(*listener));
  return 0;
}

void TcpDesk::accept(AppPort port, FileDescriptor socket, const Endpoint& application) {
  const auto number = core_.on_accepted(port, application);
  if (!number) return reset_socket(std::move(socket));
  links_[*number] = std::make_unique<TcpLink>(io_, core_, *number, std::move(socket));
}

/// Who dials is refused until the core opens the port again: better than to be kept waiting.
void TcpDesk::fail(AppPort port, const std::string& why) {
  listeners_.erase(port);
  core_.on_port_lost(port, why);
}

void TcpDesk::close() {
  listeners_.clear();
  links_.clear();
}

void TcpDesk::forget(TcpNo number) {
  const auto at = links_.find(number);
  if (at == links_.end()) return;
  // It goes on the next turn of the loop, when it is no longer running.
  boost::asio::post(io_, [link = std::move(at->second)] {});
  links_.erase(at);
}

TcpLink* TcpDesk::find(TcpNo number) {
  const auto at = links_.find(number);
  return at == links_.end() ? nullptr : at->second.get();
}

void TcpDesk::execute(const ConnectTarget& command) {
  links_[command.connection] =
      std::make_unique<TcpLink>(io_, core_, command.connection, command.to, connect_limit_);
}

void TcpDesk::execute(const TcpReadable& command) {
  if (auto* link = find(command.connection)) link->write();
}

void TcpDesk::execute(const TcpWritable& command) {
  if (auto* link = find(command.connection)) link->read();
}

void TcpDesk::execute(const FinishTcp& command) {
  if (auto* link = find(command.connection)) link->finish();
}

void TcpDesk::execute(const CloseTcp& command) { links_.erase(command.connection); }

void TcpDesk::execute(const ResetTcp& command) {
  if (auto* link = find(command.connection)) link->reset();
  links_.erase(command.connection);
}

std::string explain_tcp_port(int error, const std::string& flow, const Endpoint& at) {
  return explain_bind_error(error, "flow " + flow, at, Protocol::kTcp);
}

}  // namespace wormhole
