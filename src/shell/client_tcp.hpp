// The client's core and its TCP sockets, joined.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "shell/clock.hpp"
#include "shell/tcp_desk.hpp"
#include "wormhole/client/client.hpp"

namespace wormhole {

class ClientTcp final : public TcpCore {
 public:
  /// `settle` empties the tray `out`; all outlive this.
  ClientTcp(boost::asio::io_context& io, Client& core, ClientOutbox& out,
            std::function<void()> settle)
      : core_(core), out_(out), settle_(std::move(settle)), desk_(io, *this) {}

  TcpDesk& desk() { return desk_; }
  /// What was read and written since is to be sent: to be called before the tray is emptied.
  void flush() {
    if (std::exchange(moved_, false)) core_.flush_streams(core_now(), out_);
  }

  std::optional<TcpNo> on_accepted(AppPort port, const Endpoint& application) override {
    return core_.on_tcp_accepted(port, application, core_now(), out_);
  }
  void on_port_lost(AppPort port, const std::string& why) override {
    core_.on_flow_port(port, why, core_now(), out_);
  }
  void on_connected(TcpNo link) override { core_.on_tcp_connected(link, core_now(), out_); }
  void on_failed(TcpNo link, const std::string& why) override {
    desk_.forget(link);
    core_.on_tcp_failed(link, why, core_now(), out_);
  }
  MutBytes space(TcpNo link) override { return core_.tcp_space(link); }
  void commit(TcpNo link, std::size_t size) override {
    moved_ = true;
    core_.tcp_commit(link, size);
  }
  Bytes readable(TcpNo link) override { return core_.tcp_readable(link); }
  void consume(TcpNo link, std::size_t size) override {
    moved_ = true;
    core_.tcp_consume(link, size);
  }
  void on_end(TcpNo link) override { core_.on_tcp_end(link, core_now(), out_); }
  void on_reset(TcpNo link) override {
    desk_.forget(link);
    core_.on_tcp_reset(link, core_now(), out_);
  }
  void settle() override { settle_(); }

 private:
  Client& core_;
  ClientOutbox& out_;
  std::function<void()> settle_;
  bool moved_ = false;
  TcpDesk desk_;
};

}  // namespace wormhole
