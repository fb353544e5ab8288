#include "fuzz/support/parties.hpp"

namespace wormhole::fuzz {
namespace {

/// No path of the harnesses takes longer than the pauses of an input together.
constexpr Duration kLongestRtt = 24h;

Parties make_parties() {
  crypto_init();
  SeededRng rng(1);
  Parties made;
  made.server = KeyPair::generate(rng);
  made.drone = KeyPair::generate(rng);
  made.gcs = KeyPair::generate(rng);
  made.stranger = KeyPair::generate(rng);
  made.signing = SigningKey::generate(rng);
  made.identity.server_key = made.server.public_key;
  made.identity.signing_key = made.signing.public_key;
  made.identity.network.fill(3);
  made.identity.knock.fill(9);
  const auto bind = [&](const std::string& id, const PublicKey& key) {
    const auto once = SigningKey::generate(rng);
    const auto statement = make_statement(made.signing, made.identity.network, id, once.public_key,
                                          5, ~std::uint64_t{0});
    return make_binding(once.seed, made.identity.network, statement, key);
  };
  made.enrolment = bind("drone9", made.stranger.public_key);
  made.drone_binding = bind("drone3", made.drone.public_key);
  made.gcs_binding = bind("gcs4", made.gcs.public_key);
  return made;
}

void check_rtt(const std::optional<Duration>& rtt) {
  WH_ASSERT(!rtt || (*rtt >= 0s && *rtt <= kLongestRtt));
}

}  // namespace

const Parties& parties() {
  static const Parties all = make_parties();
  return all;
}

Network network() {
  Network made;
  made.server.addresses = {{kServerAt.address, kServerAt.address}};
  made.clients = {{"drone3", std::nullopt}, {"gcs4", std::nullopt}, {"drone9", std::nullopt}};
  Flow mavlink;
  mavlink.name = "mavlink";
  mavlink.port = 14550;
  mavlink.routes.push_back({Route::Kind::kBetween, {"drone3", "drone9"}, {"gcs4"}, {}});
  Flow video;
  video.name = "video";
  video.port = 5600;
  video.routes.push_back({Route::Kind::kFromTo, {"drone3"}, {"gcs4"}, {}});
  made.flows = {mavlink, video};
  return made;
}

Directory directory() {
  Directory made;
  made.clients["drone3"] = {kDrone, parties().drone_binding};
  made.clients["gcs4"] = {kGcs, parties().gcs_binding};
  made.clients["drone9"] = {ClientNo{9}, std::nullopt};
  made.flows = {{"mavlink", kMavlink}, {"video", kVideo}};
  return made;
}

ServerConfig server_config() { return {parties().server, parties().identity, kServerBoot}; }

ClientConfig client_config(const std::string& id, std::uint64_t boot_id) {
  ClientConfig config;
  config.id = id;
  config.keys = id == "drone3" ? parties().drone : parties().gcs;
  config.network = parties().identity;
  config.boot_id = boot_id;
  return config;
}

void check_status(const ClientStatus& status) {
  check_rtt(status.server.rtt);
  for (const auto& peer : status.peers) {
    check_rtt(peer.rtt);
    WH_ASSERT(peer.loss >= 0 && peer.loss <= 1);
  }
}

void check_status(const ServerStatus& status) {
  for (const auto& client : status.clients) WH_ASSERT(client.since >= 0s);
}

}  // namespace wormhole::fuzz
