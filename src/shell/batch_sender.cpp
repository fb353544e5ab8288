#include "shell/batch_sender.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "shell/clock.hpp"

namespace wormhole {
namespace {

/// A failing destination is worth a line when it begins and a reminder now and then.
constexpr Duration kRemindAfter = 60s;
/// Two destinations that fail differently must not take turns in the log.
constexpr Duration kQuietAfterLine = 1s;

/// Errors that ICMP messages about earlier datagrams leave on a socket (ip(7), IP_RECVERR).
bool may_be_of_earlier_datagram(int error) {
  switch (error) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EACCES:
    case EPROTO:
      return true;
    default:
      return false;
  }
}

/// The one control message of `header`, in `room`.
template <std::size_t N, typename T>
void attach(msghdr& header, std::array<char, N>& room, int level, int type, T value) {
  static_assert(N >= CMSG_SPACE(sizeof(T)));
  room.fill(0);
  header.msg_control = room.data();
  header.msg_controllen = CMSG_SPACE(sizeof(T));
  cmsghdr* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof(T));
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
}

void log_failure(SendSocket& socket, int error, const Endpoint& to) {
  const auto now = core_now();
  const bool first = socket.logged_errno == 0;
  const auto quiet = error == socket.logged_errno ? kRemindAfter : kQuietAfterLine;
  if (!first && now - socket.logged_at < quiet) return;
  socket.logged_errno = error;
  socket.logged_at = now;
  spdlog::warn("cannot send UDP to {}: {} ({} datagrams so far); it is tried again with each one",
               to.to_string(), std::generic_category().message(error),
               socket.counters.failed_by_errno[error]);
}

}  // namespace

SendSocket new_send_socket(int fd) {
  SendSocket socket;
  socket.fd = fd;
  const int off = 0;
  socket.segmentation = ::setsockopt(fd, SOL_UDP, UDP_SEGMENT, &off, sizeof off) == 0;
  return socket;
}

BatchSender::BatchSender(SendFunction send)
    : send_(send), messages_(std::make_unique_for_overwrite<Message[]>(kMaxMessages)) {}

void BatchSender::add(SendSocket& socket, const Endpoint& to, Bytes bytes, Bytes tail,
                      std::uint8_t ttl) {
  // A run has one TTL, and few datagrams have their own: those go alone.
  const auto size = bytes.size() + tail.size();
  const std::size_t pieces = tail.empty() ? 1 : 2;
  Message* message = ttl == 0 ? open_message(socket, to, size, pieces) : nullptr;
  if (message == nullptr) {
    if (count_ == kMaxMessages) flush();
    message = &start_message(socket, to, size, pieces);
  }
  // sendmmsg's iovec has no const; it only reads.
  auto* const part = &message->parts[pieces * message->count++];
  part[0] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  if (pieces == 2) part[1] = {const_cast<std::uint8_t*>(tail.data()), tail.size()};
  message->bytes += size;
  message->closed = size < message->segment_bytes || ttl != 0;
  message->ttl = ttl;
  last_ = static_cast<std::size_t>(message - messages_.get());
}

/// Socket after socket: copies for several receivers alternate between their relay ports.
void BatchSender::flush() {
  for (std::size_t i = 0; i < count_; ++i) {
    if (messages_[i].socket != nullptr) send_all(*messages_[i].socket, i);
  }
  count_ = 0;
  last_ = 0;
}

std::size_t BatchSender::index_of(const SendSocket& socket, const Endpoint& to) {
  const auto descriptor = static_cast<std::size_t>(socket.fd);
  return (std::hash<Endpoint>{}(to) + descriptor) % kIndexSize;
}

BatchSender::Message* BatchSender::open_message(SendSocket& socket, const Endpoint& to,
                                                std::size_t size, std::size_t pieces) {
  if (count_ == 0) return nullptr;
  const auto is_it = [&](const Message& message) {
    return message.socket == &socket && message.to == to;
  };
  std::size_t at = last_;
  if (!is_it(messages_[at])) {
    at = index_[index_of(socket, to)];
    if (at >= count_ || !is_it(messages_[at])) return nullptr;
  }
  return takes(messages_[at], size, pieces) ? &messages_[at] : nullptr;
}

BatchSender::Message& BatchSender::start_message(SendSocket& socket, const Endpoint& to,
                                                 std::size_t size, std::size_t pieces) {
  const auto at = count_++;
  Message& message = messages_[at];
  message.socket = &socket;
  message.to = to;
  message.address = SocketAddress(to);
  message.segment_bytes = size;
  message.bytes = 0;
  message.count = 0;
  message.pieces = pieces;
  message.closed = false;
  index_[index_of(socket, to)] = static_cast<std::uint8_t>(at);
  return message;
}

bool BatchSender::takes(const Message& message, std::size_t size, std::size_t pieces) {
  return message.socket->segmentation && message.pieces == pieces && !message.closed &&
         message.count < kMaxSegments && size > 0 && size <= message.segment_bytes &&
         message.segment_bytes < message.socket->refused_segment &&
         message.bytes + size <= kMaxRunBytes;
}

void BatchSender::prepare_header(Message& message) {
  msghdr header{};
  header.msg_name = message.address.data();
  header.msg_namelen = message.address.size();
  header.msg_iov = message.parts.data();
  header.msg_iovlen = message.pieces * message.count;
  if (message.count > 1) {
    attach(header, message.control, SOL_UDP, UDP_SEGMENT,
           static_cast<std::uint16_t>(message.segment_bytes));
  } else if (message.ttl != 0) {
    const bool v4 = message.to.address.is_v4();
    attach(header, message.control, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT,
           int{message.ttl});
  }
  headers_[sending_count_].msg_hdr = header;
  sending_[sending_count_++] = &message;
}

/// All messages of `socket`, of which `first` is the first.
void BatchSender::send_all(SendSocket& socket, std::size_t first) {
  sending_count_ = 0;
  for (std::size_t i = first; i < count_; ++i) {
    if (messages_[i].socket == &socket) prepare_header(messages_[i]);
  }
  bool retried = false;
  for (std::size_t at = 0; at < sending_count_;) {
    const int sent =
        send_(socket.fd, &headers_[at], static_cast<unsigned>(sending_count_ - at), MSG_DONTWAIT);
    if (sent > 0) {
      retried = false;
      for (int i = 0; i < sent; ++i) socket.counters.sent += sending_[at++]->count;
      continue;
    }
    const int error = errno;
    auto& message = *sending_[at];
    const auto verdict = judge(error, message, retried);
    retried = verdict == Verdict::kRetry;
    if (retried) continue;
    if (verdict == Verdict::kSplit && send_singly(message)) {
      ++at;
      continue;
    }
    if (verdict == Verdict::kSkip) count_failure(error, message, message.count);
    if (verdict == Verdict::kStop) socket.counters.dropped_full += message.count;
    ++at;
    if (verdict == Verdict::kSkip) continue;
    // The queue is full: what comes behind would overtake what was lost, and fare no better.
    for (; at < sending_count_; ++at) socket.counters.dropped_full += sending_[at]->count;
  }
  for (std::size_t i = 0; i < sending_count_; ++i) sending_[i]->socket = nullptr;
}

/// Sends a refused run datagram by datagram. False when the queue was full and the rest was dropped
/// (and counted).
bool BatchSender::send_singly(Message& message) {
  bool retried = false;
  for (std::size_t i = 0; i < message.count;) {
    mmsghdr single{};
    single.msg_hdr.msg_name = message.address.data();
    single.msg_hdr.msg_namelen = message.address.size();
    single.msg_hdr.msg_iov = &message.parts[message.pieces * i];
    single.msg_hdr.msg_iovlen = message.pieces;
    if (send_(message.socket->fd, &single, 1, MSG_DONTWAIT) == 1) {
      ++message.socket->counters.sent;
      ++i;
      retried = false;
      continue;
    }
    const int error = errno;
    const auto verdict = judge(error, message, retried);
    if (verdict == Verdict::kStop) {
      message.socket->counters.dropped_full += message.count - i;
      return false;
    }
    retried = verdict == Verdict::kRetry;
    if (retried) continue;
    count_failure(error, message, 1);
    ++i;
  }
  return true;
}

BatchSender::Verdict BatchSender::judge(int error, const Message& message, bool retried) {
  if (error == EINTR) return Verdict::kRetry;
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) return Verdict::kStop;
  const bool run = message.count > 1;
  if (run && error == EIO) {
    message.socket->segmentation = false;
    return Verdict::kSplit;
  }
  if (run && (error == EINVAL || error == EMSGSIZE)) {
    message.socket->refused_segment = message.segment_bytes;
    return Verdict::kSplit;
  }
  if (!retried && may_be_of_earlier_datagram(error)) return Verdict::kRetry;
  return Verdict::kSkip;
}

void BatchSender::count_failure(int error, const Message& message, std::size_t datagrams) {
  message.socket->counters.failed_by_errno[error] += datagrams;
  // Larger than the interface carries: the core asks for such sizes, and learns from the silence.
  if (error == EMSGSIZE) return;
  log_failure(*message.socket, error, message.to);
}

}  // namespace wormhole
