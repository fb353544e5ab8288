#include "stream/callbacks.hpp"

#include "stream/quic.hpp"

namespace wormhole::quic {

// Their signatures are the library's.
struct Callbacks {
  static Connection& of(void* user) { return *static_cast<Connection*>(user); }

  static int client_initial(ngtcp2_conn* conn, void* user) { return of(user).begin(conn); }
  static int recv_client_initial(ngtcp2_conn* conn, const ngtcp2_cid* /*dcid*/, void* user) {
    return of(user).begin(conn);
  }
  static int recv_crypto_data(ngtcp2_conn* conn, EncryptionLevel level, std::uint64_t /*offset*/,
                              const std::uint8_t* data, std::size_t size, void* user) {
    return of(user).on_crypto(conn, level, {data, size});
  }

  static int recv_stream_data(ngtcp2_conn* /*conn*/, std::uint32_t flags, std::int64_t id,
                              std::uint64_t /*offset*/, const std::uint8_t* data, std::size_t size,
                              void* user, void* /*stream*/) {
    const bool last = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
    of(user).listener_.on_data(id, {data, size}, last);
    return 0;
  }
  static int acked_stream_data_offset(ngtcp2_conn* /*conn*/, std::int64_t id, std::uint64_t offset,
                                      std::uint64_t size, void* user, void* /*stream*/) {
    of(user).listener_.on_acked(id, offset + size);
    return 0;
  }
  static int stream_open(ngtcp2_conn* /*conn*/, std::int64_t id, void* user) {
    of(user).listener_.on_opened(id);
    return 0;
  }
  static int stream_close(ngtcp2_conn* /*conn*/, std::uint32_t /*flags*/, std::int64_t id,
                          std::uint64_t /*code*/, void* user, void* /*stream*/) {
    of(user).listener_.on_closed(id);
    return 0;
  }
  static int stream_reset(ngtcp2_conn* /*conn*/, std::int64_t id, std::uint64_t /*final_size*/,
                          std::uint64_t code, void* user, void* /*stream*/) {
    of(user).listener_.on_reset(id, code);
    return 0;
  }
  static int extend_max_stream_data(ngtcp2_conn* /*conn*/, std::int64_t id, std::uint64_t max,
                                    void* user, void* /*stream*/) {
    if (max >= kEndlessCredit) {
      of(user).listener_.on_stopped(id);
    } else {
      of(user).listener_.on_stream_credit(id);
    }
    return 0;
  }

  static void fill_random(std::uint8_t* dest, std::size_t size, const ngtcp2_rand_ctx* context) {
    static_cast<Rng*>(context->native_handle)->fill(MutBytes(dest, size));
  }
  static int get_new_connection_id(ngtcp2_conn* /*conn*/, ngtcp2_cid* cid, std::uint8_t* token,
                                   std::size_t size, void* user) {
    cid->datalen = size;
    of(user).rng_.fill(MutBytes(cid->data, size));
    of(user).rng_.fill(MutBytes(token, NGTCP2_STATELESS_RESET_TOKENLEN));
    return 0;
  }
  static int get_path_challenge_data(ngtcp2_conn* /*conn*/, std::uint8_t* data, void* user) {
    of(user).rng_.fill(MutBytes(data, NGTCP2_PATH_CHALLENGE_DATALEN));
    return 0;
  }

  // The library asks for these, but keys of nothing need no renewal, and nobody here sends Retry.
  static int update_key(ngtcp2_conn* /*conn*/, std::uint8_t* /*rx_secret*/,
                        std::uint8_t* /*tx_secret*/, ngtcp2_crypto_aead_ctx* rx,
                        std::uint8_t* /*rx_iv*/, ngtcp2_crypto_aead_ctx* tx,
                        std::uint8_t* /*tx_iv*/, const std::uint8_t* /*old_rx*/,
                        const std::uint8_t* /*old_tx*/, std::size_t /*size*/, void* user) {
    *rx = *tx = noting_key(of(user).notes_);
    return 0;
  }
  static void delete_aead(ngtcp2_conn* /*conn*/, ngtcp2_crypto_aead_ctx* /*key*/, void* /*user*/) {}
  static void delete_cipher(ngtcp2_conn* /*conn*/, ngtcp2_crypto_cipher_ctx* /*key*/,
                            void* /*user*/) {}
  static int recv_retry(ngtcp2_conn* /*conn*/, const ngtcp2_pkt_hd* /*header*/, void* /*user*/) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  static int version_negotiation(ngtcp2_conn* /*conn*/, std::uint32_t /*version*/,
                                 const ngtcp2_cid* /*dcid*/, void* /*user*/) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
};

ngtcp2_callbacks make_callbacks() {
  ngtcp2_callbacks callbacks{};
  callbacks.client_initial = Callbacks::client_initial;
  callbacks.recv_client_initial = Callbacks::recv_client_initial;
  callbacks.recv_crypto_data = Callbacks::recv_crypto_data;
  callbacks.encrypt = encrypt;
  callbacks.decrypt = decrypt;
  callbacks.hp_mask = header_mask;
  callbacks.recv_stream_data = Callbacks::recv_stream_data;
  callbacks.acked_stream_data_offset = Callbacks::acked_stream_data_offset;
  callbacks.stream_open = Callbacks::stream_open;
  callbacks.stream_close = Callbacks::stream_close;
  callbacks.stream_reset = Callbacks::stream_reset;
  callbacks.extend_max_stream_data = Callbacks::extend_max_stream_data;
  callbacks.rand = Callbacks::fill_random;
  callbacks.get_new_connection_id = Callbacks::get_new_connection_id;
  callbacks.get_path_challenge_data = Callbacks::get_path_challenge_data;
  callbacks.update_key = Callbacks::update_key;
  callbacks.delete_crypto_aead_ctx = Callbacks::delete_aead;
  callbacks.delete_crypto_cipher_ctx = Callbacks::delete_cipher;
  callbacks.recv_retry = Callbacks::recv_retry;
  callbacks.version_negotiation = Callbacks::version_negotiation;
  return callbacks;
}

}  // namespace wormhole::quic
