// A network with TCP flows, and conversations on them whose every byte is known.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {

/// `from` dials, `to` serves at 127.0.0.1:port.
Flow tcp_flow(std::string name, std::uint16_t port, Members from, Members to);
/// ssh: gcs4 dials drone3.
StageOptions with_ssh(LinkProfile link = {.delay = 10ms});

class TcpRig {
 public:
  TcpRig(World& world, StageOptions options);

  /// Everything runs, and the peers' connections are up.
  bool start();
  /// `from` dials the flow, says `up` bytes, and hears `down`. The conversation's number.
  std::uint64_t talk(const std::string& from, const std::string& flow, std::size_t up,
                     std::size_t down);
  /// A conversation that somebody else begins.
  void plan(std::uint64_t conversation, const std::string& from, std::size_t up, std::size_t down) {
    plans_[conversation] = {from, up, down, nullptr};
  }
  /// Null when it was refused at once.
  TcpTalk* dialler(std::uint64_t conversation);
  /// Null while the service has not heard from it.
  TcpTalk* server(std::uint64_t conversation, const std::string& id);
  /// Both have read every byte and closed.
  bool is_whole(std::uint64_t conversation, const std::string& to);
  /// Both ends' sockets are gone, however.
  bool is_over(std::uint64_t conversation, const std::string& to);
  /// Streams that a client has open with its peers.
  std::size_t open_streams(const std::string& id);
  /// Cuts a client off from everything, or connects it again.
  void set_up(const std::string& id, bool up);
  std::string last_error(const std::string& id, const std::string& flow);

  World& world;
  Stage stage;
  /// Whether ends finish after their last byte, from now on.
  bool diallers_finish = true;
  bool services_finish = true;

 private:
  struct Plan {
    std::string from;
    std::size_t up = 0;
    std::size_t down = 0;
    TcpTalk* dialler = nullptr;
  };
  std::map<std::uint64_t, Plan> plans_;
  std::uint64_t next_ = 1;
};

}  // namespace wormhole::sim
