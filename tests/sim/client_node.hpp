// A client process with its applications, driven as the shell drives the core.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/tcp_host.hpp"
#include "sim/world.hpp"
#include "wormhole/client/client.hpp"

namespace wormhole::sim {

struct ClientSpec {
  std::string id;
  KeyPair keys;
  NetworkIdentity network;
  std::vector<Endpoint> servers;
  std::optional<KeyBinding> enrol;
  bool genuine = true;  ///< the network knows this ID with this key
};

class ClientNode final : public Node {
 public:
  ClientNode(World& world, std::string name, ClientSpec spec, Host& host);

  /// A process with a new boot id and new sockets; the pins are those of before.
  void start();
  /// kill -9.
  void kill();
  /// Says goodbye, then ends.
  void stop();
  /// Stands still while time goes on, as a laptop with its lid closed.
  void suspend();
  void resume();
  bool running() const { return core_ != nullptr; }

  /// An application sends `count` datagrams in one batch; the first one's number in the ledger.
  /// Nothing when the flow's port is not open. `application` unset: the default endpoint.
  std::optional<std::size_t> send(const std::string& flow, std::size_t size, std::size_t count = 1,
                                  Endpoint application = {});
  bool port_open(const std::string& flow) const { return find_port(flow) != nullptr; }
  bool connected() const;
  ClientStatus status() const;

  /// The TCP applications beside it.
  TcpHost& tcp() { return tcp_; }
  const ClientSpec& spec() const { return spec_; }
  Host& host() { return host_; }
  const std::optional<Refused>& refused() const { return refused_; }
  const std::optional<EnrolFinished>& enrol_finished() const { return enrol_finished_; }
  std::map<std::string, PeerPin> pins;  ///< the durable ones
  int failing_ports = 0;                ///< so many next attempts to open a port fail
  std::vector<MembershipAnswered> answered;
  std::vector<LinkChange> link_changes;
  /// Asks the server for a change of membership; the answer appears in `answered`.
  void change_membership(const MembershipChange& change);
  /// Deliveries to a flow whose port was not open: the shell has no socket for them.
  std::uint64_t undeliverable = 0;

  TimePoint next_deadline() const override;
  void on_timeout() override;
  void check_bounds() override;

 private:
  struct Port {
    FlowNo number;
    std::uint16_t port = 0;
    std::map<Endpoint, TimePoint> applications;  ///< who has sent, and when last
  };

  void open_socket(std::uint16_t number);
  void receive(Packet packet);
  void wake();
  void flush();
  void send_to_network(const NetSend& send);
  void deliver(const AppSend& send);
  bool may_deliver_to(const std::string& flow, const Port& port, const Endpoint& to) const;
  void execute(const OpenFlowPort& command);
  void execute(const CloseFlowPort& command);
  void execute(const CloseNetSocket& command);
  template <typename Command>
  void execute(const Command& command) requires requires(TcpHost& tcp) {
    tcp.execute(command);
  }
  { tcp_.execute(command); }
  void execute(const MembershipAnswered& command);
  void execute(const SavePin& command);
  void execute(const ResolveServer& command);
  void execute(const Refused& command);
  void execute(const EnrolFinished& command);
  void execute(const LinkChange& change) { link_changes.push_back(change); }
  void end();
  const Port* find_port(const std::string& flow) const;

  ClientSpec spec_;
  Host& host_;
  std::unique_ptr<Client> core_;
  std::unique_ptr<ClientOutbox> out_;
  TcpHost tcp_;
  std::uint64_t process_ = 0;  ///< counts the starts; events of an ended process do nothing
  bool suspended_ = false;
  std::map<std::uint16_t, std::uint16_t> sockets_;       ///< our port → socket number
  std::map<std::uint16_t, std::uint16_t> socket_ports_;  ///< and back
  std::map<std::uint16_t, std::vector<Packet>> inbox_;
  bool waking_ = false;
  std::map<std::string, Port> ports_;  ///< by flow name
  std::optional<Refused> refused_;
  std::optional<EnrolFinished> enrol_finished_;
  std::uint32_t next_ticket_ = 1;
};

}  // namespace wormhole::sim
