// The tray: everything that one input makes the core say. The shell empties it before the next
// input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wormhole/base/datagram.hpp"

namespace wormhole {

struct NetSend {
  SocketNo socket;
  Endpoint to;
  Bytes bytes;
  std::uint8_t ttl = 0;  ///< hops that it may live; 0: as many as usual
  Bytes tail{};          ///< sent behind `bytes` in the same datagram: what copies differ in
  std::size_t size() const { return bytes.size() + tail.size(); }
  /// Both pieces, copied: for who keeps them.
  std::vector<std::uint8_t> copy() const;
};

/// A port towards applications: the flow's own, or that of one peer in it (addressing: per-peer).
struct AppPort {
  FlowNo flow;
  ClientNo peer;  ///< 0: the flow's own
  auto operator<=>(const AppPort&) const = default;
};

struct AppSend {
  AppPort port;
  Endpoint to;
  Bytes bytes;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// One line for the operator; the core writes one per change, never one per packet.
struct LogLine {
  LogLevel level;
  std::string text;
};

/// Sends and log lines in the order in which they were said. Bounded: what does not fit is dropped
/// and counted. Sends refer to memory of the input batch or of the outbox's own arena; both are
/// valid until clear(). After construction the send path does not allocate.
class Outbox {
 public:
  /// One input batch is at most 64 receives of up to 64 segments (UDP_GRO's most); twice that
  /// leaves room for what timers add.
  static constexpr std::size_t kMaxSends = 8192;
  /// For control frames and second copies of 1:N datagrams: 4 MiB hold one for each of 2,500
  /// receivers. What is never used is never touched.
  static constexpr std::size_t kArenaBytes = std::size_t{4} << 20;
  static constexpr std::size_t kMaxLogLines = 256;

  explicit Outbox(std::size_t arena_bytes = kArenaBytes, std::size_t max_sends = kMaxSends);

  void net(SocketNo socket, const Endpoint& to, Bytes bytes, std::uint8_t ttl = 0);
  /// One datagram of two pieces: copies of one body with a tail each.
  void net_with_tail(SocketNo socket, const Endpoint& to, Bytes bytes, Bytes tail);
  void app(AppPort port, const Endpoint& to, Bytes bytes);
  void log(LogLevel level, std::string text);

  /// `size` fresh bytes with kHeadroom and kTailroom around them, valid until clear(); empty (and
  /// counted as dropped) when the arena is full. `size` must not be 0.
  MutBytes reserve(std::size_t size);

  const std::vector<NetSend>& net_sends() const { return net_; }
  const std::vector<AppSend>& app_sends() const { return app_; }
  const std::vector<LogLine>& log_lines() const { return log_; }
  /// Sends, reservations and lines that did not fit since construction.
  std::uint64_t dropped() const { return dropped_; }
  /// Empties the tray and keeps its memory.
  void clear();

 private:
  std::unique_ptr<std::uint8_t[]> arena_;
  std::size_t arena_size_;
  std::size_t arena_used_ = 0;
  std::size_t max_sends_;
  std::vector<NetSend> net_;
  std::vector<AppSend> app_;
  std::vector<LogLine> log_;
  std::uint64_t dropped_ = 0;
};

}  // namespace wormhole
