// Datagrams in, many at a time, into memory that is allocated once.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "shell/socket_address.hpp"
#include "shell/sparse_memory.hpp"
#include "wormhole/base/datagram.hpp"

namespace wormhole {

/// Slots that recvmmsg fills. One object serves all sockets of its kind on a thread: a batch is
/// handled before the next is read. Pages of slots that are never filled are never touched.
class ReceiveSlots {
 public:
  /// `headroom` and `tailroom` bytes are kept free around each slot's `room`.
  ReceiveSlots(std::size_t slots, std::size_t headroom, std::size_t room, std::size_t tailroom);

  struct Received {
    Endpoint from;
    MutBytes bytes;
    std::uint16_t segment =
        0;  ///< UDP_GRO: bytes of each datagram but the last; 0: it is one datagram
  };
  /// Reads what is there, at most one batch. The result is valid until the next call. `error` gets
  /// errno when nothing could be read (EAGAIN: there was nothing).
  std::span<const Received> read(int fd, int& error);

 private:
  struct Slot {
    SocketAddress from;
    iovec part{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  };
  std::size_t stride_;
  std::size_t headroom_;
  std::size_t room_;
  SparseMemory memory_;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> headers_;
  std::vector<Received> received_;
};

/// Network sockets: UDP_GRO hands over up to 64 KiB of equal datagrams at once; 8 of those are a
/// burst of 300 packets.
class NetReceiver {
 public:
  using OnBatch = std::function<void(std::span<const NetDatagram>)>;
  /// Batches handled in one turn of the loop, so that timers and HTTP get theirs.
  static constexpr int kBatchesPerTurn = 4;

  NetReceiver();
  /// Reads until there is nothing more, or the turn is used up; `on_batch` for each batch. It may
  /// close the socket: its owner then sets `fd` to -1, since the number may already be another's.
  void drain(const int& fd, const OnBatch& on_batch);

 private:
  ReceiveSlots slots_;
  std::vector<NetDatagram> batch_;
};

/// Application sockets: one datagram a slot, with room for the frame around it, up to the largest
/// that UDP has.
class AppReceiver {
 public:
  using OnBatch = std::function<void(std::span<const AppDatagram>)>;
  static constexpr int kBatchesPerTurn = 4;

  AppReceiver();
  /// As above. False when there was an error (ECONNREFUSED and the like), or nothing to read at
  /// all: then the error queue may say why it was called.
  bool drain(const int& fd, const OnBatch& on_batch);

 private:
  ReceiveSlots slots_;
  std::vector<AppDatagram> batch_;
};

}  // namespace wormhole
