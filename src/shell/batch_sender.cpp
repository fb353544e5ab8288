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

void BatchSender::add(SendSocket& socket, const Endpoint& to, Bytes bytes, std::uint8_t ttl) {
  if (socket_ != &socket) {
    flush();
    socket_ = &socket;
  }
  // A run has one TTL, and few datagrams have their own: those go alone.
  Message* message = ttl == 0 ? open_message(to, bytes.size()) : nullptr;
  if (message == nullptr) {
    if (count_ == kMaxMessages) send_all();
    message = &start_message(to, bytes.size());
  }
  // sendmmsg's iovec has no const; it only reads.
  message->parts[message->count++] = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  message->bytes += bytes.size();
  message->closed = bytes.size() < message->segment_bytes || ttl != 0;
  message->ttl = ttl;
  last_ = static_cast<std::size_t>(message - messages_.get());
}

void BatchSender::flush() {
  if (socket_ == nullptr) return;
  send_all();
  socket_ = nullptr;
}

BatchSender::Message* BatchSender::open_message(const Endpoint& to, std::size_t size) {
  if (count_ == 0) return nullptr;
  std::size_t at = last_;
  if (messages_[at].to != to) {
    at = index_[std::hash<Endpoint>{}(to) % kIndexSize];
    if (at >= count_ || messages_[at].to != to) return nullptr;
  }
  return takes(messages_[at], size) ? &messages_[at] : nullptr;
}

BatchSender::Message& BatchSender::start_message(const Endpoint& to, std::size_t size) {
  const auto at = count_++;
  Message& message = messages_[at];
  message.to = to;
  message.address = SocketAddress(to);
  message.segment_bytes = size;
  message.bytes = 0;
  message.count = 0;
  message.closed = false;
  index_[std::hash<Endpoint>{}(to) % kIndexSize] = static_cast<std::uint8_t>(at);
  return message;
}

bool BatchSender::takes(const Message& message, std::size_t size) const {
  return socket_->segmentation && !message.closed && message.count < kMaxSegments && size > 0 &&
         size <= message.segment_bytes && message.segment_bytes < socket_->refused_segment &&
         message.bytes + size <= kMaxRunBytes;
}

void BatchSender::prepare_header(std::size_t index) {
  Message& message = messages_[index];
  msghdr header{};
  header.msg_name = message.address.data();
  header.msg_namelen = message.address.size();
  header.msg_iov = message.parts.data();
  header.msg_iovlen = message.count;
  if (message.count > 1) {
    attach(header, message.control, SOL_UDP, UDP_SEGMENT,
           static_cast<std::uint16_t>(message.segment_bytes));
  } else if (message.ttl != 0) {
    const bool v4 = message.to.address.is_v4();
    attach(header, message.control, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT,
           int{message.ttl});
  }
  headers_[index].msg_hdr = header;
}

void BatchSender::send_all() {
  for (std::size_t i = 0; i < count_; ++i) prepare_header(i);
  bool retried = false;
  for (std::size_t at = 0; at < count_;) {
    const int sent =
        send_(socket_->fd, &headers_[at], static_cast<unsigned>(count_ - at), MSG_DONTWAIT);
    if (sent > 0) {
      retried = false;
      for (int i = 0; i < sent; ++i) socket_->counters.sent += messages_[at++].count;
      continue;
    }
    const int error = errno;
    const auto verdict = judge(error, messages_[at], retried);
    retried = verdict == Verdict::kRetry;
    if (retried) continue;
    if (verdict == Verdict::kSplit && send_singly(messages_[at])) {
      ++at;
      continue;
    }
    if (verdict == Verdict::kSkip) count_failure(error, messages_[at], messages_[at].count);
    if (verdict == Verdict::kStop) socket_->counters.dropped_full += messages_[at].count;
    ++at;
    if (verdict == Verdict::kSkip) continue;
    // The queue is full: what comes behind would overtake what was lost, and fare no better.
    for (; at < count_; ++at) socket_->counters.dropped_full += messages_[at].count;
  }
  count_ = 0;
  last_ = 0;
}

/// Sends a refused run datagram by datagram. False when the queue was full and the rest was dropped
/// (and counted).
bool BatchSender::send_singly(Message& message) {
  bool retried = false;
  for (std::size_t i = 0; i < message.count;) {
    mmsghdr single{};
    single.msg_hdr.msg_name = message.address.data();
    single.msg_hdr.msg_namelen = message.address.size();
    single.msg_hdr.msg_iov = &message.parts[i];
    single.msg_hdr.msg_iovlen = 1;
    if (send_(socket_->fd, &single, 1, MSG_DONTWAIT) == 1) {
      ++socket_->counters.sent;
      ++i;
      retried = false;
      continue;
    }
    const int error = errno;
    const auto verdict = judge(error, message, retried);
    if (verdict == Verdict::kStop) {
      socket_->counters.dropped_full += message.count - i;
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
    socket_->segmentation = false;
    return Verdict::kSplit;
  }
  if (run && (error == EINVAL || error == EMSGSIZE)) {
    socket_->refused_segment = message.segment_bytes;
    return Verdict::kSplit;
  }
  if (!retried && may_be_of_earlier_datagram(error)) return Verdict::kRetry;
  return Verdict::kSkip;
}

void BatchSender::count_failure(int error, const Message& message, std::size_t datagrams) {
  socket_->counters.failed_by_errno[error] += datagrams;
  log_failure(*socket_, error, message.to);
}

}  // namespace wormhole
