#include "shell/network_watch.hpp"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "shell/local_addresses.hpp"

namespace wormhole {
namespace {

constexpr std::uint32_t kGroups =
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
/// Read in one call at most; the rest after the other sockets had their turn.
constexpr int kMostEvents = 256;

bool bind_groups(int fd) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kGroups;
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Attachment current_attachment() { return {local_addresses(), way_out(AF_INET), way_out(AF_INET6)}; }

}  // namespace

NetworkWatch::NetworkWatch(boost::asio::io_context& io, OnChange on_change)
    : io_(io), on_change_(std::move(on_change)), pause_(io) {}

Result<void> NetworkWatch::start() {
  FileDescriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  const bool works = fd.is_open() && bind_groups(fd.get());
  const auto why = works ? std::string{} : std::generic_category().message(errno);
  // After binding, so that nothing is missed between the look and the first event.
  attachment_ = current_attachment();
  if (!works) {
    return Error{"cannot watch this host's network for changes (netlink): " + why +
                 "; a change of address is noticed by silence, within a second; in a sandbox allow "
                 "AF_NETLINK sockets"};
  }
  netlink_ = Readable(io_, std::move(fd), [this] { on_events(); });
  return {};
}

void NetworkWatch::close() {
  netlink_.close();
  pause_.cancel();
}

void NetworkWatch::on_events() {
  // What they say is not needed: one byte each, the rest is dropped. So is ENOBUFS, which means
  // that there were more than the kernel kept.
  char ignored = 0;
  for (int i = 0; i < kMostEvents; ++i) {
    if (::recv(netlink_.fd(), &ignored, sizeof ignored, 0) < 0 && errno != ENOBUFS) break;
  }
  if (waiting_) return;
  const bool way_out = attachment_.v4 || attachment_.v6;
  const auto due = looked_at_ + (way_out ? kPause : kShortPause);
  if (std::chrono::steady_clock::now() >= due) return look();
  waiting_ = true;
  pause_.expires_at(due);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (error || !netlink_.is_open()) return;
    waiting_ = false;
    look();
  });
}

void NetworkWatch::look() {
  looked_at_ = std::chrono::steady_clock::now();
  auto found = current_attachment();
  if (found == attachment_) return;
  attachment_ = std::move(found);
  on_change_();
}

}  // namespace wormhole
