#include "socket_owner.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace wormhole {

namespace fs = std::filesystem;

namespace {

/// An address as the kernel prints it in /proc/net/tcp (IPv4, one native word) and tcp6 (four).
std::string proc_address(const Endpoint& at) {
  char text[48];
  const auto& b = at.address.bytes;
  std::string out;
  for (std::size_t i = at.address.is_v4() ? 12 : 0; i < 16; i += 4) {
    std::snprintf(text, sizeof text, "%02X%02X%02X%02X", b[i + 3], b[i + 2], b[i + 1], b[i]);
    out += text;
  }
  std::snprintf(text, sizeof text, ":%04X", static_cast<unsigned>(at.port));
  return out + text;
}

/// The inode of the listening socket with one of these addresses (proc(5): /proc/net/tcp).
std::optional<std::string> listener_inode(const char* table, const std::string& exact,
                                          const std::string& any) {
  constexpr std::string_view kListen = "0A";
  std::ifstream in(table);
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
        timeout >> inode;
    if (state == kListen && (local == exact || local == any)) return inode;
  }
  return std::nullopt;
}

bool process_has_socket(const fs::path& process, const std::string& inode) {
  std::error_code error;
  const std::string wanted = "socket:[" + inode + "]";
  for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
       fd.increment(error)) {
    std::error_code gone;
    if (fs::read_symlink(fd->path(), gone) == wanted) return true;
  }
  return false;
}

}  // namespace

std::string who_listens_on(const Endpoint& at) {
  const bool v4 = at.address.is_v4();
  const Endpoint any{v4 ? IpAddress::v4(0, 0, 0, 0) : IpAddress{}, at.port};
  const auto inode =
      listener_inode(v4 ? "/proc/net/tcp" : "/proc/net/tcp6", proc_address(at), proc_address(any));
  if (!inode) return "";
  std::error_code error;
  for (fs::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string pid = process->path().filename().string();
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    if (!process_has_socket(process->path(), *inode)) continue;
    std::string name;
    std::getline(std::ifstream(process->path() / "comm"), name);
    return " (by " + name + ", process " + pid + ")";
  }
  return " (by another user's process)";
}

}  // namespace wormhole
