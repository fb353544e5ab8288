// The one place that speaks to libngtcp2: a connection's life, its two-message handshake, and the
// clock that it sees.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "stream/null_cipher.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole::quic {

/// A stream's first window: small, for a reader that never reads.
inline constexpr std::uint64_t kFirstStreamWindow = 256 * 1024;

/// More than any reader can want: the word for a stream that is not read any more. QUIC's own word,
/// STOP_SENDING, makes libngtcp2 1.11 forget what has arrived behind a gap. When the peer then
/// closes the gap before it has said that it sends no more, it has nothing more to say, and the
/// stream stays half open for ever.
inline constexpr std::uint64_t kEndlessCredit = std::uint64_t{1} << 60;

/// What a connection tells its owner while it reads a datagram or runs its timer. The owner must
/// not call the connection back from these, but for grant() and grant_stream().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_opened(std::int64_t id) = 0;
  virtual void on_data(std::int64_t id, Bytes bytes, bool last) = 0;
  /// Everything before `offset` has arrived at the peer.
  virtual void on_acked(std::int64_t id, std::uint64_t offset) = 0;
  virtual void on_reset(std::int64_t id, std::uint64_t code) = 0;
  /// The peer wants no more of it.
  virtual void on_stopped(std::int64_t id) = 0;
  virtual void on_stream_credit(std::int64_t id) = 0;
  virtual void on_closed(std::int64_t id) = 0;
};

/// What became of a stream's bytes that were offered to a datagram.
enum class Offer : std::uint8_t {
  kTaken,     ///< `taken` of them, and there is room in the datagram for others
  kSent,      ///< the datagram is complete: `datagram` bytes; perhaps `taken` of them in it
  kFull,      ///< the window, or the pace, allows nothing now
  kNoCredit,  ///< the peer's reader must go on first
  kNoMore,    ///< the peer takes no more of this stream
  kBroken,
};

struct Offered {
  Offer result = Offer::kSent;
  std::optional<std::size_t> taken;  ///< nothing: the stream was not looked at
  std::size_t datagram = 0;
};

class Connection {
 public:
  Connection(const StreamConfig& config, Rng& rng, Listener& listener, TimePoint now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  StreamState state() const { return state_; }
  bool exists() const { return conn_ != nullptr; }

  /// False when nothing in it could be read.
  bool read(MutBytes with_tail, TimePoint now);
  /// Puts bytes of stream `id` (none: −1) into the datagram that is being made in `room`.
  Offered offer(MutBytes room, std::int64_t id, std::span<const Bytes> parts, bool last,
                TimePoint now);
  /// Makes the library believe that there is nothing to send. What it then learns from the next
  /// round trip's packets sets no bound to its rate.
  void say_idle(TimePoint now);
  /// A burst has been sent: the library counts its pace from here.
  void burst_done(TimePoint now);
  std::size_t burst_size() const;
  void run_timer(TimePoint now);
  TimePoint deadline() const;

  /// Moves the library's clock on to its next timer; false when it has none or nothing is in
  /// flight. See StreamConnection::on_path_back.
  bool skip_to_timer(TimePoint now);
  /// Moves the library's clock on.
  void grow_old(Duration by) { skew_ += static_cast<std::uint64_t>(by.count()); }
  std::uint64_t in_flight() const;

  std::optional<std::int64_t> open();
  /// Sends no more of it. The peer's owner is expected to do the same.
  void reset(std::int64_t id, std::uint64_t code);
  /// Asks the peer to send no more of it: with kEndlessCredit.
  void stop(std::int64_t id);
  bool is_own(std::int64_t id) const;
  /// Credit for `size` more bytes of all streams, of one, and for one more stream.
  void grant(std::size_t size);
  void grant_stream(std::int64_t id, std::uint64_t size);
  void grant_open();
  bool has_credit() const;

  /// Writes the word of parting; 0 when there is none to write.
  std::size_t write_farewell(MutBytes room, TimePoint now);
  /// Ends it; `speak`: the peer does not know yet.
  void break_off(bool speak);
  bool owes_farewell() const { return owes_farewell_; }

  const PacketNotes& notes() const { return notes_; }
  ConnectionInfo info() const;

 private:
  friend struct Callbacks;
  struct Delete {
    void operator()(ngtcp2_conn* conn) const { ngtcp2_conn_del(conn); }
  };

  std::uint64_t clock(TimePoint now);
  bool listen(MutBytes packet, TimePoint now);
  void create(const ngtcp2_cid* original, TimePoint now);
  ngtcp2_settings settings(TimePoint now);
  ngtcp2_transport_params params() const;
  ngtcp2_cid fresh_cid(std::size_t size);
  int begin(ngtcp2_conn* conn);
  int on_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes);
  int caller_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes);
  int listener_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes);
  int submit_params(ngtcp2_conn* conn, EncryptionLevel level);
  int install_handshake_keys(ngtcp2_conn* conn);
  int install_receive_key(ngtcp2_conn* conn);
  int install_send_key(ngtcp2_conn* conn);
  void came_up(ngtcp2_conn* conn);

  const StreamConfig config_;
  Rng& rng_;
  Listener& listener_;
  StreamState state_ = StreamState::kStarting;
  ngtcp2_cid own_cid_{};
  ngtcp2_cid peer_cid_{};
  ngtcp2_sockaddr_in address_{};
  ngtcp2_path path_{};
  std::array<std::uint8_t, 256> own_params_{};  ///< the library refers to them
  std::uint64_t skew_ = 0;                      ///< how far the library's clock is ahead of ours
  std::uint64_t last_clock_ = 0;
  PacketNotes notes_;
  bool owes_farewell_ = false;
  std::unique_ptr<ngtcp2_conn, Delete> conn_;  ///< goes first: it refers to the others
};

}  // namespace wormhole::quic
