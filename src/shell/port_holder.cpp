#include "shell/port_holder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

namespace wormhole {
namespace {

namespace fs = std::filesystem;

/// One line of /proc/net/{udp,tcp}[6] (proc(5)): local address in host-order hexadecimal words,
/// port, inode.
struct Entry {
  std::string address;
  std::uint16_t port = 0;
  std::string inode;
};

std::optional<Entry> parse_entry(const std::string& line) {
  std::istringstream fields(line);
  std::vector<std::string> words;
  for (std::string word; fields >> word;) words.push_back(word);
  if (words.size() < 10) return std::nullopt;
  const auto colon = words[1].find(':');
  if (colon == std::string::npos) return std::nullopt;
  Entry entry{words[1].substr(0, colon), 0, words[9]};
  const auto port = words[1].substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), entry.port, 16);
  return parsed.ec == std::errc{} ? std::optional(entry) : std::nullopt;
}

/// The address as /proc/net writes IPv4: the four bytes as one host-order word.
std::string proc_text(const IpAddress& address) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (std::size_t i = 16; i-- > 12;) {
    text += kDigits[address.bytes[i] >> 4];
    text += kDigits[address.bytes[i] & 15];
  }
  return text;
}

bool blocks(const Entry& entry, const Endpoint& at) {
  if (entry.port != at.port) return false;
  const bool any =
      std::all_of(entry.address.begin(), entry.address.end(), [](char c) { return c == '0'; });
  return any || !at.address.is_v4() || at.address.is_unspecified() ||
         (entry.address.size() == 8 && entry.address == proc_text(at.address)) ||
         entry.address.size() == 32;
}

std::vector<std::string> blocking_inodes(Protocol protocol, const Endpoint& at) {
  const std::string base = protocol == Protocol::kUdp ? "/proc/net/udp" : "/proc/net/tcp";
  std::vector<std::string> inodes;
  for (const auto& name : {base, base + "6"}) {
    std::ifstream table(name);
    for (std::string line; std::getline(table, line);) {
      const auto entry = parse_entry(line);
      if (entry && blocks(*entry, at)) inodes.push_back("socket:[" + entry->inode + "]");
    }
  }
  return inodes;
}

bool holds(const fs::path& process, const std::vector<std::string>& sockets) {
  std::error_code error;
  for (const auto& fd : fs::directory_iterator(process / "fd", error)) {
    const auto target = fs::read_symlink(fd.path(), error);
    if (error) continue;
    if (std::find(sockets.begin(), sockets.end(), target.string()) != sockets.end()) return true;
  }
  return false;
}

}  // namespace

std::string holder_of_port(Protocol protocol, const Endpoint& at) {
  const auto sockets = blocking_inodes(protocol, at);
  if (sockets.empty()) return {};
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const auto pid = process.path().filename().string();
    if (!std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!holds(process.path(), sockets)) continue;
    std::string name;
    std::getline(std::ifstream(process.path() / "comm") >> std::ws, name);
    return name + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace wormhole
