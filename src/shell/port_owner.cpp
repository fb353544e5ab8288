#include "shell/port_owner.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace wormhole {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "0100007F:38D6": each 32-bit word of the address in this machine's byte order, then the port.
std::optional<Endpoint> parse_kernel_endpoint(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  const auto port = number<std::uint16_t>(text.substr(colon + 1), 16);
  if (!port) return std::nullopt;
  Endpoint endpoint{colon == 8 ? IpAddress::v4(0, 0, 0, 0) : IpAddress{}, *port};
  std::size_t at = colon == 8 ? 12 : 0;
  for (std::size_t i = 0; i < colon; i += 8, at += 4) {
    const auto word = number<std::uint32_t>(text.substr(i, 8), 16);
    if (!word) return std::nullopt;
    std::memcpy(endpoint.address.bytes.data() + at, &*word, 4);
  }
  return endpoint;
}

struct KernelSocket {
  Endpoint bound;
  uid_t user = 0;
  std::string inode;
};

/// The state of a TCP socket that listens, as /proc/net/tcp writes it (TCP_LISTEN).
constexpr std::string_view kListening = "0A";

/// One line of a table: "sl local remote st queues timer retransmits uid timeout inode …".
std::optional<KernelSocket> parse_line(Protocol protocol, const std::string& line) {
  std::istringstream words(line);
  std::array<std::string, 10> word;
  for (auto& w : word) {
    if (!(words >> w)) return std::nullopt;
  }
  if (protocol == Protocol::kTcp && word[3] != kListening) return std::nullopt;
  const auto bound = parse_kernel_endpoint(word[1]);
  const auto user = number<uid_t>(word[7]);
  if (!bound || !user) return std::nullopt;
  return KernelSocket{*bound, *user, word[9]};
}

void find_blocker(Protocol protocol, const char* table, const Endpoint& at,
                  std::optional<KernelSocket>& best) {
  std::ifstream file(table);
  for (std::string line; std::getline(file, line);) {
    auto socket = parse_line(protocol, line);
    if (!socket || socket->bound.port != at.port) continue;
    const auto& address = socket->bound.address;
    if (address == at.address) {
      best = std::move(socket);
      return;
    }
    if (!best && (address.is_unspecified() || at.address.is_unspecified())) {
      best = std::move(socket);
    }
  }
}

bool has_descriptor(const fs::path& process, const std::string& link) {
  std::error_code error;
  fs::directory_iterator fds(process / "fd", error);
  for (; !error && fds != fs::directory_iterator{}; fds.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(fds->path(), unreadable) == link) return true;
  }
  return false;
}

std::optional<ProcessName> process_with_inode(const std::string& inode) {
  std::string link = "socket:[";
  link.append(inode).append("]");
  std::error_code error;
  fs::directory_iterator processes("/proc", error);
  for (; !error && processes != fs::directory_iterator{}; processes.increment(error)) {
    const auto pid = number<pid_t>(processes->path().filename().native());
    if (!pid || !has_descriptor(processes->path(), link)) continue;
    ProcessName process{*pid, "?"};
    std::ifstream comm(processes->path() / "comm");
    std::getline(comm, process.name);
    return process;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PortOwner> who_has_port(Protocol protocol, const Endpoint& at) {
  const bool udp = protocol == Protocol::kUdp;
  std::optional<KernelSocket> blocker;
  find_blocker(protocol, udp ? "/proc/net/udp" : "/proc/net/tcp", at, blocker);
  if (!blocker || blocker->bound.address != at.address) {
    find_blocker(protocol, udp ? "/proc/net/udp6" : "/proc/net/tcp6", at, blocker);
  }
  if (!blocker) return std::nullopt;
  return PortOwner{blocker->bound, blocker->user, process_with_inode(blocker->inode)};
}

std::optional<ProcessName> who_has_abstract_socket(std::string_view name) {
  std::ifstream file("/proc/net/unix");
  std::string path = "@";
  path.append(name);
  for (std::string line; std::getline(file, line);) {
    // "Num RefCount Protocol Flags Type St Inode Path"
    std::istringstream words(line);
    std::array<std::string, 8> word;
    for (auto& w : word) words >> w;
    if (word[7] == path) return process_with_inode(word[6]);
  }
  return std::nullopt;
}

std::string describe(const std::optional<PortOwner>& owner) {
  if (!owner) return "a process that cannot be seen from here";
  const auto bound = ", bound to " + owner->bound.to_string();
  if (!owner->process) {
    return "a process of user " + std::to_string(owner->user) +
           " that this user cannot see ('sudo ss -tulpn' shows it)" + bound;
  }
  return owner->process->name + " (pid " + std::to_string(owner->process->pid) + ")" + bound;
}

}  // namespace wormhole
