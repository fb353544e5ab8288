#include "shell/datagram_receiver.hpp"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wormhole {
namespace {

constexpr std::size_t kNetSlots = 8;
constexpr std::size_t kAppSlots = 32;
/// What one UDP_GRO receive may hold: the IP layer's largest datagram.
constexpr std::size_t kGroBytes = 65536;
/// UDP_GRO joins at most 64 datagrams (UDP_GRO_CNT_MAX), but over loopback a sender's own run
/// arrives as it was sent: UDP_MAX_SEGMENTS, 128 since Linux 6.9.
constexpr std::size_t kMaxSegments = 128;
/// Above the largest UDP payload (65,507 over IPv4, 65,527 over IPv6): nothing is ever cut.
constexpr std::size_t kAppBytes = 65536;

std::uint16_t gro_segment(msghdr& header) {
  for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO) continue;
    int segment = 0;
    std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
    return static_cast<std::uint16_t>(segment);
  }
  return 0;
}

}  // namespace

ReceiveSlots::ReceiveSlots(std::size_t slots, std::size_t headroom, std::size_t room,
                           std::size_t tailroom)
    : stride_((headroom + room + tailroom + 63) / 64 * 64),  // slots begin on cache lines
      headroom_(headroom),
      room_(room),
      memory_(slots * stride_),
      slots_(slots),
      headers_(slots),
      received_(slots) {
  for (std::size_t i = 0; i < slots; ++i) {
    slots_[i].part = {memory_.data() + i * stride_ + headroom_, room_};
  }
}

std::span<const ReceiveSlots::Received> ReceiveSlots::read(int fd, int& error) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    auto& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = slots_[i].from.data();
    header.msg_namelen = SocketAddress::capacity();
    header.msg_iov = &slots_[i].part;
    header.msg_iovlen = 1;
    header.msg_control = slots_[i].control.data();
    header.msg_controllen = slots_[i].control.size();
  }
  const int count = ::recvmmsg(fd, headers_.data(), static_cast<unsigned>(headers_.size()),
                               MSG_DONTWAIT, nullptr);
  error = count < 0 ? errno : 0;
  const auto taken = static_cast<std::size_t>(std::max(count, 0));
  for (std::size_t i = 0; i < taken; ++i) {
    auto* start = static_cast<std::uint8_t*>(slots_[i].part.iov_base);
    received_[i] = {slots_[i].from.endpoint(), MutBytes(start, headers_[i].msg_len),
                    gro_segment(headers_[i].msg_hdr)};
  }
  return std::span(received_).first(taken);
}

NetReceiver::NetReceiver() : slots_(kNetSlots, 0, kGroBytes, 0) {
  batch_.reserve(kNetSlots * kMaxSegments);
}

void NetReceiver::drain(const int& fd, const OnBatch& on_batch) {
  for (int turn = 0; turn < kBatchesPerTurn && fd >= 0; ++turn) {
    int error = 0;
    const auto received = slots_.read(fd, error);
    if (received.empty()) return;
    batch_.clear();
    for (const auto& item : received) {
      auto rest = item.bytes;
      const std::size_t segment =
          item.segment == 0 ? std::max<std::size_t>(rest.size(), 1) : item.segment;
      do {
        const auto size = std::min(segment, rest.size());
        batch_.push_back({item.from, rest.first(size)});
        rest = rest.subspan(size);
      } while (!rest.empty());
    }
    on_batch(batch_);
    if (received.size() < kNetSlots) return;
  }
}

AppReceiver::AppReceiver() : slots_(kAppSlots, kHeadroom, kAppBytes, kTailroom) {
  batch_.reserve(kAppSlots);
}

bool AppReceiver::drain(const int& fd, const OnBatch& on_batch) {
  bool any = false;
  bool failed = false;
  for (int turn = 0; turn < kBatchesPerTurn && fd >= 0; ++turn) {
    int error = 0;
    const auto received = slots_.read(fd, error);
    if (received.empty()) {
      if (error == EAGAIN || error == EWOULDBLOCK) break;
      failed = true;
      continue;
    }
    any = true;
    batch_.clear();
    for (const auto& item : received) batch_.push_back({item.from, item.bytes});
    on_batch(batch_);
    if (received.size() < kAppSlots) break;
  }
  return any && !failed;
}

}  // namespace wormhole
