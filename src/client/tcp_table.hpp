// All TCP connections of this client with applications, and the streams that carry them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/flow_table.hpp"
#include "client/stream_book.hpp"
#include "client/tcp_bridge.hpp"
#include "client/tcp_serve.hpp"

namespace wormhole {

struct TcpDrops {
  std::uint64_t too_many = 0;  ///< connections beyond kMostConnections
};

class TcpTable {
 public:
  /// Two for each stream of a peer at its limit (in and out); 4 kB each when idle.
  static constexpr std::size_t kMostConnections = 8192;

  using SlotOf = std::function<std::optional<std::uint16_t>(ClientNo)>;

  TcpTable(FlowTable& flows, StreamBook::PeerAt peer_at, SlotOf slot_of, IpAddress bind)
      : flows_(flows), slot_of_(std::move(slot_of)), bind_(bind), streams_(std::move(peer_at)) {}

  // The shell's doors (wormhole/client/client.hpp).
  std::optional<TcpNo> accept(AppPort port, const Endpoint& application, TimePoint now,
                              ClientOutbox& out);
  void on_connected(TcpNo number, ClientOutbox& out);
  void on_failed(TcpNo number, const std::string& why);
  MutBytes space(TcpNo number);
  void commit(TcpNo number, std::size_t size);
  Bytes readable(TcpNo number) const;
  void consume(TcpNo number, std::size_t size);
  void on_end(TcpNo number, ClientOutbox& out);
  void on_reset(TcpNo number, ClientOutbox& out);

  /// The peer's streams may have something to say, or something to send.
  void touch(std::uint16_t slot) { streams_.touch(slot); }
  bool has_touched() const { return streams_.has_touched(); }
  /// Takes the events of all peers that were touched; `send` is to send what their streams have to
  /// send (or to see to it), `flushed` is told of each afterwards.
  void flush(TimePoint now, ClientOutbox& out,
             const std::function<void(std::uint16_t, Peer&)>& send,
             const std::function<void(const Peer&)>& flushed);
  /// The peer's streams have sent, not within flush().
  void after_sending(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
    if (streams_.peer(slot) != nullptr) run_events(slot, now, out);
  }
  /// Gives up what the flows no longer allow.
  void enforce(TimePoint now, ClientOutbox& out);
  /// Before the peer goes.
  void remove_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  /// Whom a flow reaches, in which class; so that connections are there before streams.
  static StreamClass class_of(const FlowPort& flow) {
    return flow.ref.relay_only ? StreamClass::kRelayOnly : StreamClass::kUsual;
  }
  void on_timeout(TimePoint now, ClientOutbox& out);
  TimePoint next_deadline() const { return deadline_; }

  /// Connections that are open now, by flow.
  std::map<FlowNo, std::size_t> open() const;
  const TcpDrops& drops() const { return drops_; }

 private:
  TcpBridge* find(TcpNo number) const;
  TcpNo next_number() { return TcpNo{++last_number_}; }
  void keep(TcpNo number, std::unique_ptr<TcpBridge> bridge);
  void done(TcpNo number);
  void run_events(std::uint16_t slot, TimePoint now, ClientOutbox& out);
  void on_opened(const StreamRef& ref);
  void on_lost(std::uint16_t slot, StreamClass group, TimePoint now, ClientOutbox& out);
  std::vector<std::uint16_t> slots_to_dial(const FlowPort& flow, ClientNo only) const;
  std::variant<ServePlan, std::string> admit(const StreamRef& ref, const StreamHello& hello);
  void note_refused(FlowNo flow, const std::string& why);
  void note_left(FlowNo flow, const std::string& why, bool too_slow);
  void say_errors(Outbox& out);
  bool permits(const TcpBridge& bridge, std::uint16_t slot) const;
  template <typename Permits>
  void restrict_all(Permits permits, TimePoint now, ClientOutbox& out);
  void tend_later(TcpNo number);
  void tend_waiting(TimePoint now, ClientOutbox& out);

  FlowTable& flows_;
  const SlotOf slot_of_;
  const IpAddress bind_;
  StreamBook streams_;
  std::unordered_map<TcpNo, std::unique_ptr<TcpBridge>> bridges_;
  std::vector<TcpNo> to_tend_;  // bytes have moved
  std::vector<TcpNo> tending_;
  std::vector<TcpNo> waiting_;  // they have a deadline
  bool has_errors_ = false;     // that the log does not say
  std::uint64_t last_number_ = 0;
  TimePoint deadline_ = kNever;
  TcpDrops drops_;
};

}  // namespace wormhole
