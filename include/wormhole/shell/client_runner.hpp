// The client's core on real sockets.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/client/client.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

/// What a client process was started with.
struct ClientRunOptions {
  ClientIdentity identity;
  std::string state_dir;  ///< pins are kept here
  IpAddress bind = IpAddress::v4(127, 1, 0, 1);
  bool deliver_anywhere = false;      ///< see ClientConfig
  std::optional<std::string> server;  ///< --server HOST[:PORT], instead of the identity's
  std::map<std::string, PeerPin> pins;
  std::optional<KeyBinding> enrol;                          ///< see ClientConfig::enrol
  std::function<void(const LinkChange&)> on_link_change{};  ///< may be empty
};

/// Owns the client core, its network sockets, flow ports and its one timer. Everything happens on
/// the io_context's thread. Destroy it only when the io_context no longer runs handlers.
class ClientRunner {
 public:
  /// Called once, when the server has refused us or enrolment has ended; the runner then does
  /// nothing more.
  using OnEnd = std::function<void(const ClientCommand& why)>;

  ClientRunner(boost::asio::io_context& io, ClientRunOptions options, OnEnd on_end);
  ~ClientRunner();

  /// Resolves the server (a DNS name first, then the addresses), opens the sockets, starts.
  /// Problems of the environment are logged once per change and retried for ever.
  void start();
  /// Says goodbye and closes every socket.
  void stop();
  ClientStatus status() const;

  using OnAnswer = std::function<void(const std::optional<std::string>& error)>;
  using OnNatCheck = std::function<void(const NatCheckReport&)>;
  /// Checks the NAT anew, waiting for the server if need be; callers that come meanwhile share the
  /// check. Calls back once, on the io_context, within 5 s. False when too many wait already.
  bool check_nat(OnNatCheck done);
  /// Joins or leaves a side of a flow. Calls back once, on the io_context.
  void change_membership(const MembershipChange& change, OnAnswer done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wormhole
