#include "stream/quic.hpp"

#include <algorithm>

#include "stream/callbacks.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole::quic {
namespace {

/// The library takes 0 for "no time yet"; virtual clocks begin there.
constexpr std::uint64_t kEpoch = 1'000'000'000;
/// Any length serves: the peer is known, and no two connections meet on one socket.
constexpr std::size_t kCidBytes = 4;
/// The least that a caller may choose for the listener's first one (RFC 9000, 7.2).
constexpr std::size_t kFirstCidBytes = 8;
/// Small, since the library sends more credit whenever half of the *first* window is used.
constexpr std::uint64_t kFirstConnectionWindow = std::uint64_t{1} << 20;
/// All streams together under way: 50 Mbit/s over 2.6 s, 1 Gbit/s over 130 ms.
constexpr std::uint64_t kConnectionWindow = std::uint64_t{16} << 20;
/// Between a guess that resends needlessly (satellites) and one that waits for long after a loss
/// in the handshake.
constexpr ngtcp2_duration kFirstRtt = 100 * NGTCP2_MILLISECONDS;
/// Less than the 25 ms of RFC 9000, 18.2: with two packets an acknowledgement leaves anyway.
constexpr ngtcp2_duration kAckDelay = 10 * NGTCP2_MILLISECONDS;
/// Parts of one offer.
constexpr std::size_t kParts = 4;

}  // namespace

Connection::Connection(const StreamConfig& config, Rng& rng, Listener& listener, TimePoint now)
    : config_(config), rng_(rng), listener_(listener) {
  // One made-up path for all time: which way datagrams go is decided elsewhere.
  address_.sin_family = NGTCP2_AF_INET;
  auto* const address = reinterpret_cast<ngtcp2_sockaddr*>(&address_);
  path_.local = path_.remote = {address, sizeof(address_)};
  if (config.role == StreamRole::kCaller) create(nullptr, now);
}

Connection::~Connection() = default;

std::uint64_t Connection::clock(TimePoint now) {
  const auto given = static_cast<std::uint64_t>(now.time_since_epoch().count());
  // The library (1.x) asserts that no time is earlier than the one before.
  last_clock_ = std::max(last_clock_, given + kEpoch + skew_);
  return last_clock_;
}

ngtcp2_cid Connection::fresh_cid(std::size_t size) {
  ngtcp2_cid cid{};
  cid.datalen = size;
  rng_.fill(MutBytes(cid.data, size));
  return cid;
}

ngtcp2_settings Connection::settings(TimePoint now) {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = clock(now);
  settings.cc_algo = congestion_of(config_.congestion);
  settings.rand_ctx.native_handle = &rng_;
  settings.max_tx_udp_payload_size = config_.max_datagram + kStreamTail;
  settings.no_tx_udp_payload_size_shaping = 1;
  settings.no_pmtud = 1;
  settings.initial_rtt = kFirstRtt;
  settings.handshake_timeout = UINT64_MAX;
  settings.max_window = 0;  // the library does not grow windows by itself
  settings.max_stream_window = 0;
  return settings;
}

ngtcp2_transport_params Connection::params() const {
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  params.initial_max_stream_data_bidi_local = kFirstStreamWindow;
  params.initial_max_stream_data_bidi_remote = kFirstStreamWindow;
  params.initial_max_data = kFirstConnectionWindow;
  params.initial_max_streams_bidi = config_.max_streams;
  params.max_idle_timeout = 0;  // outages may last as long as they like
  params.max_udp_payload_size = kMaxStreamDatagram + kStreamTail;
  params.max_ack_delay = kAckDelay;
  return params;
}

void Connection::create(const ngtcp2_cid* original, TimePoint now) {
  const ngtcp2_callbacks callbacks = make_callbacks();
  const ngtcp2_settings with = settings(now);
  ngtcp2_transport_params own = params();
  own_cid_ = fresh_cid(kCidBytes);
  ngtcp2_conn* conn = nullptr;
  int error = 0;
  if (original == nullptr) {
    peer_cid_ = fresh_cid(kFirstCidBytes);
    error = ngtcp2_conn_client_new(&conn, &peer_cid_, &own_cid_, &path_, NGTCP2_PROTO_VER_V1,
                                   &callbacks, &with, &own, nullptr, this);
  } else {
    set_original_dcid(own, *original);
    error = ngtcp2_conn_server_new(&conn, &peer_cid_, &own_cid_, &path_, NGTCP2_PROTO_VER_V1,
                                   &callbacks, &with, &own, nullptr, this);
  }
  WH_ASSERT(error == 0);  // no memory, or parameters of ours that the library refuses
  conn_.reset(conn);
}

bool Connection::listen(MutBytes packet, TimePoint now) {
  ngtcp2_pkt_hd header{};
  if (ngtcp2_accept(&header, packet.data(), packet.size()) != 0) return false;
  peer_cid_ = header.scid;
  create(&header.dcid, now);
  return true;
}

bool Connection::read(MutBytes with_tail, TimePoint now) {
  if (with_tail.size() <= kStreamTail || state_ == StreamState::kBroken) return false;
  std::ranges::fill(with_tail.last(kStreamTail), std::uint8_t{0});
  if (!conn_ && !listen(with_tail, now)) return false;
  const std::uint64_t opened = notes_.opened;
  const ngtcp2_pkt_info info{};
  const int error = ngtcp2_conn_read_pkt(conn_.get(), &path_, &info, with_tail.data(),
                                         with_tail.size(), clock(now));
  if (error == NGTCP2_ERR_DROP_CONN || error == NGTCP2_ERR_RETRY) {
    conn_.reset();  // a listener's: this was no beginning
    return false;
  }
  if (error != 0) break_off(error != NGTCP2_ERR_DRAINING);
  return notes_.opened != opened;
}

Offered Connection::offer(MutBytes room, std::int64_t id, std::span<const Bytes> parts, bool last,
                          TimePoint now) {
  std::array<ngtcp2_vec, kParts> vectors{};
  const std::size_t count = std::min(parts.size(), kParts);
  // The library's vector is not const, but it only reads from it.
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<std::uint8_t*>(parts[i].data()), parts[i].size()};
  }
  std::uint32_t flags = id < 0 ? NGTCP2_WRITE_STREAM_FLAG_NONE : NGTCP2_WRITE_STREAM_FLAG_MORE;
  if (last) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
  ngtcp2_ssize taken = -1;
  ngtcp2_pkt_info info{};
  const ngtcp2_ssize size =
      ngtcp2_conn_writev_stream(conn_.get(), nullptr, &info, room.data(), room.size(), &taken,
                                flags, id, vectors.data(), count, clock(now));
  Offered offered;
  if (taken >= 0) offered.taken = static_cast<std::size_t>(taken);
  if (size > 0) {
    offered.datagram = static_cast<std::size_t>(size) - kStreamTail;
  } else if (size == 0) {
    offered.result = Offer::kFull;
  } else if (size == NGTCP2_ERR_WRITE_MORE) {
    offered.result = Offer::kTaken;
  } else if (size == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
    offered.result = Offer::kNoCredit;
  } else if (size == NGTCP2_ERR_STREAM_SHUT_WR || size == NGTCP2_ERR_STREAM_NOT_FOUND) {
    offered.result = Offer::kNoMore;
  } else {
    break_off(true);
    offered.result = Offer::kBroken;
  }
  return offered;
}

void Connection::say_idle(TimePoint now) {
  std::array<std::uint8_t, 1> none{};  // too small for any packet, so nothing is written
  ngtcp2_pkt_info info{};
  static_cast<void>(ngtcp2_conn_writev_stream(conn_.get(), nullptr, &info, none.data(), none.size(),
                                              nullptr, NGTCP2_WRITE_STREAM_FLAG_NONE, -1, nullptr,
                                              0, clock(now)));
}

void Connection::burst_done(TimePoint now) {
  if (conn_) ngtcp2_conn_update_pkt_tx_time(conn_.get(), clock(now));
}

std::size_t Connection::burst_size() const { return ngtcp2_conn_get_send_quantum(conn_.get()); }

void Connection::run_timer(TimePoint now) {
  if (!conn_ || state_ == StreamState::kBroken) return;
  const std::uint64_t time = clock(now);
  if (ngtcp2_conn_get_expiry(conn_.get()) > time) return;
  if (ngtcp2_conn_handle_expiry(conn_.get(), time) != 0) break_off(true);
}

TimePoint Connection::deadline() const {
  if (!conn_ || state_ == StreamState::kBroken) return kNever;
  const std::uint64_t expiry = ngtcp2_conn_get_expiry(conn_.get());
  if (expiry == UINT64_MAX) return kNever;
  const std::uint64_t ahead = kEpoch + skew_;
  return TimePoint(Duration(expiry > ahead ? static_cast<std::int64_t>(expiry - ahead) : 0));
}

bool Connection::skip_to_timer(TimePoint now) {
  const std::uint64_t expiry = ngtcp2_conn_get_expiry(conn_.get());
  if (in_flight() == 0 || expiry == UINT64_MAX) return false;
  const std::uint64_t time = clock(now);
  if (expiry > time) skew_ += expiry - time;
  run_timer(now);
  return state_ != StreamState::kBroken;
}

std::uint64_t Connection::in_flight() const {
  return conn_ ? info_of(conn_.get()).bytes_in_flight : 0;
}

ConnectionInfo Connection::info() const { return conn_ ? info_of(conn_.get()) : ConnectionInfo{}; }

std::optional<std::int64_t> Connection::open() {
  std::int64_t id = -1;
  if (ngtcp2_conn_open_bidi_stream(conn_.get(), &id, nullptr) != 0) return std::nullopt;
  return id;
}

// A stream that is gone, or a direction that is shut already, is what was asked for.
void Connection::reset(std::int64_t id, std::uint64_t code) {
  if (shutdown_stream_write(conn_.get(), id, code) == NGTCP2_ERR_NOMEM) break_off(true);
}

void Connection::stop(std::int64_t id) { grant_stream(id, kEndlessCredit); }

bool Connection::is_own(std::int64_t id) const {
  return ngtcp2_conn_is_local_stream(conn_.get(), id) != 0;
}

void Connection::grant(std::size_t size) { ngtcp2_conn_extend_max_offset(conn_.get(), size); }

void Connection::grant_stream(std::int64_t id, std::uint64_t size) {
  // Of a stream that is gone nobody needs credit.
  static_cast<void>(ngtcp2_conn_extend_max_stream_offset(conn_.get(), id, size));
}

void Connection::grant_open() { ngtcp2_conn_extend_max_streams_bidi(conn_.get(), 1); }

bool Connection::has_credit() const { return ngtcp2_conn_get_max_data_left(conn_.get()) > 0; }

std::size_t Connection::write_farewell(MutBytes room, TimePoint now) {
  if (!conn_) return 0;
  const ngtcp2_ssize size = write_close(conn_.get(), room, clock(now));
  return size > static_cast<ngtcp2_ssize>(kStreamTail)
             ? static_cast<std::size_t>(size) - kStreamTail
             : 0;
}

void Connection::break_off(bool speak) {
  state_ = StreamState::kBroken;
  owes_farewell_ = speak;
}

void Connection::came_up(ngtcp2_conn* conn) {
  handshake_completed(conn);
  state_ = StreamState::kUp;
  ngtcp2_conn_extend_max_offset(conn, kConnectionWindow - kFirstConnectionWindow);
}

}  // namespace wormhole::quic
