// Datagrams out, in as few system calls as the kernel allows.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "shell/socket_address.hpp"
#include "wormhole/base/bytes.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// What became of the datagrams that one socket was to send.
struct SendCounters {
  std::uint64_t sent = 0;
  std::uint64_t dropped_full = 0;                ///< the socket's or device's queue was full
  std::map<int, std::uint64_t> failed_by_errno;  ///< all other reasons
};

/// One socket as its sender sees it.
struct SendSocket {
  int fd = -1;
  /// False once the kernel or device has refused UDP_SEGMENT (no checksum offload: EIO).
  bool segmentation = true;
  /// Runs of datagrams this long or longer are sent one by one: they were refused because a segment
  /// must fit into the device's MTU, and the last one of a run may be shorter.
  std::size_t refused_segment = SIZE_MAX;
  SendCounters counters;

  int logged_errno = 0;
  TimePoint logged_at{};
};

/// For an open UDP socket; asks the kernel whether it knows UDP_SEGMENT (Linux 4.18).
SendSocket new_send_socket(int fd);

/// Gathers datagrams and sends them: of one socket, consecutive datagrams of equal size to one
/// destination (the last may be shorter) become one message that the kernel or device cuts up
/// (UDP_SEGMENT, udp(7)), and all messages of a socket go with one sendmmsg. Order per socket and
/// destination is kept. Never blocks, never waits for more, never allocates per datagram; the bytes
/// are gathered by reference and must stay valid until flush(). One object serves all sockets of a
/// thread.
class BatchSender {
 public:
  /// UDP_MAX_SEGMENTS of Linux before 6.9; later ones take 128.
  static constexpr std::size_t kMaxSegments = 64;
  /// Below 65,507, the most a UDP datagram over IPv4 may carry; a run is one such datagram to the
  /// IP layer until it is cut.
  static constexpr std::size_t kMaxRunBytes = 65'000;
  /// 16 groups of 16 receivers at once. With 128 iovecs each they are 0.5 MiB of tables, of which
  /// only what was used is ever touched.
  static constexpr std::size_t kMaxMessages = 256;

  using SendFunction = int (*)(int, mmsghdr*, unsigned, int);

  /// Tests hand in a `send` that fails as devices do.
  explicit BatchSender(SendFunction send = ::sendmmsg);

  /// Adds one datagram for `socket`; flushes first when the tables are full.
  /// `tail`: sent behind `bytes` in the same datagram. `ttl` 0: the socket's own.
  void add(SendSocket& socket, const Endpoint& to, Bytes bytes, Bytes tail = {},
           std::uint8_t ttl = 0);
  /// Sends what was added.
  void flush();

 private:
  struct Message {
    SendSocket* socket = nullptr;  // null: it has been sent
    Endpoint to;
    SocketAddress address;
    std::size_t segment_bytes = 0;  // of all but the last datagram
    std::size_t bytes = 0;
    std::size_t count = 0;
    std::size_t pieces = 1;  // of each datagram
    bool closed = false;     // its last datagram is shorter
    std::uint8_t ttl = 0;
    std::array<iovec, 2 * kMaxSegments> parts;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
  };
  enum class Verdict { kRetry, kSkip, kSplit, kStop };

  Message* open_message(SendSocket& socket, const Endpoint& to, std::size_t size,
                        std::size_t pieces);
  Message& start_message(SendSocket& socket, const Endpoint& to, std::size_t size,
                         std::size_t pieces);
  static bool takes(const Message& message, std::size_t size, std::size_t pieces);
  static std::size_t index_of(const SendSocket& socket, const Endpoint& to);
  void prepare_header(Message& message);
  void send_all(SendSocket& socket, std::size_t first);
  bool send_singly(Message& message);
  Verdict judge(int error, const Message& message, bool retried);
  void count_failure(int error, const Message& message, std::size_t datagrams);

  SendFunction send_;
  std::size_t count_ = 0;
  std::size_t last_ = 0;  // the message that took the latest datagram
  std::unique_ptr<Message[]> messages_;
  std::array<mmsghdr, kMaxMessages> headers_{};   // those of one socket, while it sends
  std::array<Message*, kMaxMessages> sending_{};  // … and what they are of
  std::size_t sending_count_ = 0;
  // Hash of socket and endpoint → the latest message to it. An entry may be stale or overwritten:
  // then a new message is begun, which costs a header but never the order.
  static constexpr std::size_t kIndexSize = 1024;
  std::array<std::uint8_t, kIndexSize> index_{};
};

}  // namespace wormhole
