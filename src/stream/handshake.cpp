// The handshake: two messages, since there is nobody to authenticate and nothing to agree on but
// the transport parameters (RFC 9000, 7.4). QUIC wants data at each of its encryption levels; where
// there is nothing to say, one byte does.
//
//   caller                                  listener
//   INITIAL: its parameters            →
//                                      ←    INITIAL: 1 byte, HANDSHAKE: its parameters
//   HANDSHAKE: 1 byte, up              →    up
#include "stream/quic.hpp"

namespace wormhole::quic {
namespace {

constexpr std::array<std::uint8_t, 1> kNothing{1};
/// The initialization vector, and a secret that is none: with zeros the nonce is the number.
constexpr std::array<std::uint8_t, 32> kZeros{};
constexpr std::size_t kIvBytes = 12;

ngtcp2_crypto_ctx crypto_context() {
  ngtcp2_crypto_ctx context{};
  context.aead.max_overhead = kOverhead;
  // A cipher wears out (RFC 9001, 6.6); this one does not.
  context.max_encryption = UINT64_MAX;
  context.max_decryption_failure = UINT64_MAX;
  return context;
}

int submit(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes) {
  return ngtcp2_conn_submit_crypto_data(conn, level, bytes.data(), bytes.size());
}

}  // namespace

// Both levels' contexts are set at once, since nothing is negotiated.
int Connection::begin(ngtcp2_conn* conn) {
  const ngtcp2_crypto_ctx context = crypto_context();
  ngtcp2_conn_set_initial_crypto_ctx(conn, &context);
  ngtcp2_conn_set_crypto_ctx(conn, &context);
  const ngtcp2_crypto_aead_ctx key = noting_key(notes_);
  const ngtcp2_crypto_cipher_ctx mask{};
  const std::uint8_t* const iv = kZeros.data();
  int error = ngtcp2_conn_install_initial_key(conn, &key, iv, &mask, &key, iv, &mask, kIvBytes);
  if (error == 0 && config_.role == StreamRole::kCaller) error = submit_params(conn, kInitial);
  return error == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

int Connection::submit_params(ngtcp2_conn* conn, EncryptionLevel level) {
  const ngtcp2_ssize size =
      ngtcp2_conn_encode_local_transport_params(conn, own_params_.data(), own_params_.size());
  if (size < 0) return static_cast<int>(size);
  return submit(conn, level, Bytes(own_params_).first(static_cast<std::size_t>(size)));
}

int Connection::install_handshake_keys(ngtcp2_conn* conn) {
  const ngtcp2_crypto_aead_ctx key = noting_key(notes_);
  const ngtcp2_crypto_cipher_ctx mask{};
  const std::uint8_t* const iv = kZeros.data();
  if (const int e = ngtcp2_conn_install_rx_handshake_key(conn, &key, iv, kIvBytes, &mask)) return e;
  return ngtcp2_conn_install_tx_handshake_key(conn, &key, iv, kIvBytes, &mask);
}

int Connection::install_receive_key(ngtcp2_conn* conn) {
  const ngtcp2_crypto_aead_ctx key = noting_key(notes_);
  const ngtcp2_crypto_cipher_ctx mask{};
  return ngtcp2_conn_install_rx_key(conn, kZeros.data(), kZeros.size(), &key, kZeros.data(),
                                    kIvBytes, &mask);
}

int Connection::install_send_key(ngtcp2_conn* conn) {
  const ngtcp2_crypto_aead_ctx key = noting_key(notes_);
  const ngtcp2_crypto_cipher_ctx mask{};
  return ngtcp2_conn_install_tx_key(conn, kZeros.data(), kZeros.size(), &key, kZeros.data(),
                                    kIvBytes, &mask);
}

int Connection::on_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes) {
  const bool caller = config_.role == StreamRole::kCaller;
  const int error =
      caller ? caller_crypto(conn, level, bytes) : listener_crypto(conn, level, bytes);
  return error == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

int Connection::caller_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes) {
  if (level == kInitial) return install_handshake_keys(conn);
  if (level != kHandshake || state_ != StreamState::kStarting) return NGTCP2_ERR_PROTO;
  if (const int e = set_remote_params(conn, bytes)) return e;
  if (const int e = submit(conn, kHandshake, kNothing)) return e;
  if (const int e = install_receive_key(conn)) return e;
  if (const int e = install_send_key(conn)) return e;
  came_up(conn);
  return 0;
}

int Connection::listener_crypto(ngtcp2_conn* conn, EncryptionLevel level, Bytes bytes) {
  if (state_ != StreamState::kStarting) return NGTCP2_ERR_PROTO;
  if (level == kInitial) {
    if (const int e = set_remote_params(conn, bytes)) return e;
    if (const int e = submit(conn, kInitial, kNothing)) return e;
    if (const int e = install_handshake_keys(conn)) return e;
    if (const int e = submit_params(conn, kHandshake)) return e;
    return install_send_key(conn);
  }
  if (level != kHandshake) return NGTCP2_ERR_PROTO;
  if (const int e = install_receive_key(conn)) return e;
  came_up(conn);
  return 0;
}

}  // namespace wormhole::quic
