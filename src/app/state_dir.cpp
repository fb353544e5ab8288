#include "state_dir.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "wormhole/state/state_files.hpp"

namespace wormhole {

namespace fs = std::filesystem;

namespace {

Result<std::string> value(std::string text) {
  return {boost::system::in_place_value, std::move(text)};
}

std::string pending_path(const std::string& dir) { return dir + "/pending.key"; }

}  // namespace

Result<std::string> client_state_dir(const std::string& given, const std::string& id) {
  if (!given.empty()) return value(given);
  if (const char* systemd = std::getenv("STATE_DIRECTORY"); systemd != nullptr && *systemd != 0) {
    const std::string all = systemd;
    return value(all.substr(0, all.find(':')));
  }
  if (::geteuid() == 0) return value("/var/lib/wormhole-client/" + id);
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == 0) {
    return Error{"HOME is not set, so the state directory is not known: give --state-dir DIR"};
  }
  return value(std::string(home) + "/.local/state/wormhole/" + id);
}

Result<void> make_state_dir(const std::string& dir) {
  std::error_code error;
  const bool created = fs::create_directories(dir, error);
  if (created && !error) fs::permissions(dir, fs::perms::owner_all, error);
  if (error) {
    return Error{"cannot create the state directory " + dir + ": " + error.message() +
                 "; give another with --state-dir DIR"};
  }
  return {};
}

bool has_identity(const std::string& dir) {
  std::error_code ignored;
  return fs::exists(dir + "/identity.json", ignored);
}

Result<std::optional<KeyPair>> load_pending_key(const std::string& dir) {
  const std::string path = pending_path(dir);
  std::error_code error;
  if (!fs::exists(path, error)) return std::optional<KeyPair>();
  std::string line;
  std::ifstream in(path);
  std::getline(in, line);
  const auto secret = parse_secret_key(line);
  if (!secret) {
    return Error{path + " is not readable or holds no key: remove it, then enrol with a new code"};
  }
  return std::optional(KeyPair::from_secret(*secret));
}

Result<KeyPair> make_pending_key(const std::string& dir, Rng& rng) {
  KeyPair keys = KeyPair::generate(rng);
  const Result<void> written = write_file_durably(pending_path(dir), to_text(keys.secret) + '\n');
  if (!written) return written.error();
  return keys;
}

void remove_pending_key(const std::string& dir) {
  std::error_code ignored;
  fs::remove(pending_path(dir), ignored);
}

Result<ClientRunOptions> load_client(const std::string& dir, const BindOptions& where,
                                     const std::string& server) {
  auto identity = load_client_identity(dir);
  if (!identity) return identity.error();
  auto pins = load_pins(dir);
  if (!pins) return pins.error();
  ClientRunOptions run;
  run.identity = std::move(*identity);
  run.state_dir = dir;
  run.bind = *IpAddress::parse(where.bind);
  if (!server.empty()) run.server = server;
  run.pins = std::move(*pins);
  return run;
}

}  // namespace wormhole
