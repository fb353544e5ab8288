// The client's core: one door in for each kind of input, one tray out. No socket, clock or thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/base/outbox.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/client/link_change.hpp"
#include "wormhole/client/status.hpp"
#include "wormhole/crypto/identity.hpp"

namespace wormhole {

/// Trust in a peer's key, remembered over restarts.
struct PeerPin {
  PublicKey key;
  std::uint64_t serial = 0;  ///< of the newest signed binding; 0 when there was none
  bool operator==(const PeerPin&) const = default;
};

/// How this host is attached, for the NAT check and for paths, which must prove themselves anew
/// when it changes.
struct LocalNetwork {
  std::vector<IpAddress> addresses;  ///< its own, of all interfaces
  std::uint16_t port = 0;            ///< of socket 0, once it is open
  /// How often packets have begun to leave in another way, perhaps from the same addresses.
  std::uint32_t changes = 0;
  bool operator==(const LocalNetwork&) const = default;
};

struct ClientConfig {
  std::string id;
  KeyPair keys;
  NetworkIdentity network;
  std::uint64_t boot_id = 0;                     ///< random per process
  IpAddress bind = IpAddress::v4(127, 1, 0, 1);  ///< where the flow ports are
  /// Whether `deliver` may name other machines' addresses. A server could otherwise have plaintext
  /// sent anywhere, so the client's owner decides.
  bool deliver_anywhere = false;
  std::map<std::string, PeerPin> pins;
  std::optional<KeyBinding> enrol;  ///< set: only enrol with this binding, then say EnrolFinished
};

/// Open a UDP port for a flow, or listen on a TCP port; answer with on_flow_port. Repeated (with
/// backoff, by the core) until it worked.
struct OpenFlowPort {
  AppPort port;
  std::string flow;  ///< its name
  Endpoint at;
  Protocol protocol = Protocol::kUdp;
};
/// Connections that were accepted there go on.
struct CloseFlowPort {
  AppPort port;
};
/// Connect to an application; answer with on_tcp_connected or on_tcp_failed.
struct ConnectTarget {
  TcpNo connection;
  Endpoint to;
};
/// There is something to take with tcp_readable().
struct TcpReadable {
  TcpNo connection;
};
/// There is room in tcp_space() again, after there was none.
struct TcpWritable {
  TcpNo connection;
};
/// Everything has been taken and nothing more will come: shut the sending direction down (FIN).
struct FinishTcp {
  TcpNo connection;
};
/// Close it; both directions have ended in order. Its number means nothing any more.
struct CloseTcp {
  TcpNo connection;
};
/// Close it at once, with RST (or give up connecting). Its number means nothing any more.
struct ResetTcp {
  TcpNo connection;
};
/// An extra socket towards the network (see SocketNo) is needed no more.
struct CloseNetSocket {
  SocketNo socket;
};
/// Remember a peer's key durably (newest wins).
struct SavePin {
  std::string id;
  PeerPin pin;
};
/// The server's name should be resolved anew; answer with set_servers.
struct ResolveServer {};
/// The client must end: the server said no. Everything else is retried for ever.
struct Refused {
  enum class Reason : std::uint8_t {
    kUnknownId,
    kWrongKey,
    kReplaced,  ///< the same ID and key were started elsewhere
    kRemoved,   ///< the ID was taken out of routes.yaml while we ran
    kVersion
  };
  Reason reason;
  std::string message;
};
struct EnrolFinished {
  std::optional<std::string> error;  ///< one sentence; nothing when it worked
};
/// The end of Client::change_membership.
struct MembershipAnswered {
  std::uint32_t ticket;
  std::optional<std::string> error;  ///< one sentence; nothing when it is in force
};
using ClientCommand =
    std::variant<OpenFlowPort, CloseFlowPort, ConnectTarget, TcpReadable, TcpWritable, FinishTcp,
                 CloseTcp, ResetTcp, CloseNetSocket, SavePin, ResolveServer, Refused, EnrolFinished,
                 MembershipAnswered, LinkChange>;

/// The client's tray.
class ClientOutbox : public Outbox {
 public:
  using Outbox::Outbox;
  std::vector<ClientCommand> commands;
  void clear() {
    Outbox::clear();
    commands.clear();
  }
};

class Client {
 public:
  Client(ClientConfig config, Rng& rng);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The server's endpoints in order of preference (at most 16 are kept). A session in use is not
  /// disturbed. The first call starts the client.
  void set_servers(std::vector<Endpoint> servers, TimePoint now, ClientOutbox& out);
  /// A batch from one network socket. The spans may be changed in place.
  void on_net_datagrams(SocketNo socket, std::span<const NetDatagram> batch, TimePoint now,
                        ClientOutbox& out);
  /// A batch from one port. At most 64 datagrams.
  void on_app_datagrams(AppPort port, std::span<const AppDatagram> batch, TimePoint now,
                        ClientOutbox& out);
  /// An application's address answered "port unreachable".
  void on_app_refused(AppPort port, const Endpoint& application, TimePoint now);
  /// Answer to OpenFlowPort; `error` is empty when the port is open.
  void on_flow_port(AppPort port, const std::string& error, TimePoint now, ClientOutbox& out);

  // --- TCP: the shell moves bytes between sockets and the places that these name. Numbers of
  // connections that the core has closed meanwhile are harmless: there is no room, nothing to read.

  /// An application has connected to a flow's port; its number from now on. Nothing: nobody can be
  /// reached, reset it.
  std::optional<TcpNo> on_tcp_accepted(AppPort port, const Endpoint& application, TimePoint now,
                                       ClientOutbox& out);
  /// Answers to ConnectTarget. `why` is for people: "connection refused".
  void on_tcp_connected(TcpNo connection, TimePoint now, ClientOutbox& out);
  void on_tcp_failed(TcpNo connection, const std::string& why, TimePoint now, ClientOutbox& out);
  /// Where what the socket has can be read to, in place. Empty: do not read before TcpWritable.
  MutBytes tcp_space(TcpNo connection);
  /// The first `size` bytes of tcp_space(), which was the call before, were filled.
  void tcp_commit(TcpNo connection, std::size_t size);
  /// What can be written to the socket; valid until the next call. Empty: wait for TcpReadable.
  Bytes tcp_readable(TcpNo connection) const;
  /// The socket has taken so much of tcp_readable().
  void tcp_consume(TcpNo connection, std::size_t size);
  /// The application sends no more (FIN); it may still read.
  void on_tcp_end(TcpNo connection, TimePoint now, ClientOutbox& out);
  /// The socket is gone (RST or an error); its number means nothing any more.
  void on_tcp_reset(TcpNo connection, TimePoint now, ClientOutbox& out);
  /// Once after any number of commits and consumes: sends what they have made.
  void flush_streams(TimePoint now, ClientOutbox& out);

  /// This host's addresses have changed, or are told for the first time (best before set_servers).
  void on_network_change(LocalNetwork local, TimePoint now, ClientOutbox& out);
  /// Asks the server to put this client on a side of a flow, or to take it off. Ends with one
  /// MembershipAnswered of this ticket, at once or within 10 s.
  void change_membership(std::uint32_t ticket, const MembershipChange& change, TimePoint now,
                         ClientOutbox& out);
  /// Begins a NAT check, or joins one that runs. False without a server.
  bool check_nat(TimePoint now, ClientOutbox& out);
  bool is_checking_nat() const;
  /// Harmless when nothing is due.
  void on_timeout(TimePoint now, ClientOutbox& out);
  TimePoint next_deadline() const;
  /// Says goodbye to the server. No call after it has an effect.
  void shutdown(TimePoint now, ClientOutbox& out);

  ClientStatus status(TimePoint now) const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace wormhole
