// One source for libngtcp2 0.12 (Debian 12) and 1.x (Debian 13): the names of 1.x, given to 0.12.
#pragma once

#include <ngtcp2/version.h>

// The core has no sockets, so the library's own address types serve for the made-up path. 1.x wants
// to be told their families, which it never looks at.
#define NGTCP2_USE_GENERIC_SOCKADDR
#if NGTCP2_VERSION_NUM >= 0x010000
#define NGTCP2_AF_INET 2
#define NGTCP2_AF_INET6 10
#endif
#include <ngtcp2/ngtcp2.h>

#include "wormhole/base/bytes.hpp"
#include "wormhole/stream/types.hpp"

namespace wormhole::quic {

#if NGTCP2_VERSION_NUM >= 0x010000

inline constexpr ngtcp2_encryption_level kInitial = NGTCP2_ENCRYPTION_LEVEL_INITIAL;
inline constexpr ngtcp2_encryption_level kHandshake = NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE;
using EncryptionLevel = ngtcp2_encryption_level;
using ConnectionInfo = ngtcp2_conn_info;

inline ngtcp2_cc_algo congestion_of(Congestion congestion) {
  return congestion == Congestion::kBbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
}
inline void set_original_dcid(ngtcp2_transport_params& params, const ngtcp2_cid& dcid) {
  params.original_dcid = dcid;
  params.original_dcid_present = 1;
}
inline int set_remote_params(ngtcp2_conn* conn, Bytes bytes) {
  return ngtcp2_conn_decode_and_set_remote_transport_params(conn, bytes.data(), bytes.size());
}
inline void handshake_completed(ngtcp2_conn* conn) { ngtcp2_conn_tls_handshake_completed(conn); }
inline ConnectionInfo info_of(ngtcp2_conn* conn) {
  ConnectionInfo info{};
  ngtcp2_conn_get_conn_info(conn, &info);
  return info;
}
inline int shutdown_stream_write(ngtcp2_conn* conn, std::int64_t id, std::uint64_t code) {
  return ngtcp2_conn_shutdown_stream_write(conn, 0, id, code);
}
inline ngtcp2_ssize write_close(ngtcp2_conn* conn, MutBytes room, ngtcp2_tstamp now) {
  ngtcp2_ccerr reason{};
  ngtcp2_ccerr_default(&reason);
  return ngtcp2_conn_write_connection_close(conn, nullptr, nullptr, room.data(), room.size(),
                                            &reason, now);
}

#else

inline constexpr ngtcp2_crypto_level kInitial = NGTCP2_CRYPTO_LEVEL_INITIAL;
inline constexpr ngtcp2_crypto_level kHandshake = NGTCP2_CRYPTO_LEVEL_HANDSHAKE;
using EncryptionLevel = ngtcp2_crypto_level;
using ConnectionInfo = ngtcp2_conn_stat;

/// Never this version's first BBR: it collapses under loss.
inline ngtcp2_cc_algo congestion_of(Congestion congestion) {
  return congestion == Congestion::kBbr ? NGTCP2_CC_ALGO_BBR2 : NGTCP2_CC_ALGO_CUBIC;
}
inline void set_original_dcid(ngtcp2_transport_params& params, const ngtcp2_cid& dcid) {
  params.original_dcid = dcid;
}
inline int set_remote_params(ngtcp2_conn* conn, Bytes bytes) {
  return ngtcp2_conn_decode_remote_transport_params(conn, bytes.data(), bytes.size());
}
inline void handshake_completed(ngtcp2_conn* conn) { ngtcp2_conn_handshake_completed(conn); }
inline ConnectionInfo info_of(ngtcp2_conn* conn) {
  ConnectionInfo info{};
  ngtcp2_conn_get_conn_stat(conn, &info);
  return info;
}
inline int shutdown_stream_write(ngtcp2_conn* conn, std::int64_t id, std::uint64_t code) {
  return ngtcp2_conn_shutdown_stream_write(conn, id, code);
}
inline ngtcp2_ssize write_close(ngtcp2_conn* conn, MutBytes room, ngtcp2_tstamp now) {
  ngtcp2_connection_close_error reason{};
  ngtcp2_connection_close_error_default(&reason);
  return ngtcp2_conn_write_connection_close(conn, nullptr, nullptr, room.data(), room.size(),
                                            &reason, now);
}

#endif

}  // namespace wormhole::quic
