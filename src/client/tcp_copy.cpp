#include "client/tcp_copy.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

TcpCopy::TcpCopy(TcpNo number, DialPlan plan, std::size_t buffer, StreamBook& streams,
                 OnLeft on_left)
    : TcpBridge(number, plan.flow, streams),
      plan_(std::move(plan)),
      buffer_(buffer),
      on_left_(std::move(on_left)),
      incoming_(kMaxFrame) {
  for (const auto slot : plan_.slots) {
    legs_.emplace_back();
    legs_.back().slot = slot;
  }
}

// --- Receivers --------------------------------------------------------------

void TcpCopy::begin(TimePoint now, ClientOutbox& out) {
  due_ = now + TcpDial::kUpLimit;
  for (auto& leg : legs_) {
    const auto* peer = streams_.peer(leg.slot);
    if (peer == nullptr || !peer->is_online()) leave(leg, "is offline");
  }
  open_waiting(now);
  settle(out);
}

void TcpCopy::open_waiting(TimePoint now) {
  bool waits = false;
  for (auto& leg : legs_) {
    if (leg.gone || leg.opened || open(leg)) continue;
    if (now >= due_) leave(leg, "no connection to it");
    waits = true;
  }
  if (!waits) due_ = kNever;
}

bool TcpCopy::open(Leg& leg) {
  const auto ref = streams_.open(leg.slot, plan_.group, number_);
  if (!ref) return false;
  leg.ref = *ref;
  leg.opened = true;
  auto& stream = *connection(leg);
  stream.write(leg.ref.id, encode(StreamHello{plan_.flow, true, plan_.application_port}));
  catch_up(leg);
  return true;
}

void TcpCopy::leave(Leg& leg, const std::string& why, bool too_slow) {
  if (std::exchange(leg.gone, true)) return;
  if (leg.opened) {
    streams_.release(leg.ref);
    if (auto* stream = connection(leg)) stream->reset(leg.ref.id, kGivenUp);
    streams_.touch(leg.slot);
  }
  leg.behind = {};
  leg.reply = {};
  const auto* peer = streams_.peer(leg.slot);
  on_left_((peer == nullptr ? "a peer" : peer->id()) + ": " + why, too_slow);
}

TcpCopy::Leg* TcpCopy::find(const StreamRef& ref) {
  const auto at = std::find_if(legs_.begin(), legs_.end(),
                               [&](const Leg& leg) { return leg.opened && leg.ref == ref; });
  return at == legs_.end() || at->gone ? nullptr : &*at;
}

void TcpCopy::on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint /*now*/,
                        ClientOutbox& out) {
  using Kind = StreamEvent::Kind;
  auto* leg = find(ref);
  if (leg == nullptr) return;
  switch (event.kind) {
    case Kind::kReadable:
      take_replies(*leg);
      if (!leg->gone && !readable().empty()) out.commands.emplace_back(TcpReadable{number_});
      break;
    case Kind::kWritable:
      if (leg->lag() > 0 || ended_) catch_up(*leg);
      if (!space().empty()) out.commands.emplace_back(TcpWritable{number_});
      break;
    case Kind::kFinished:
      leg->finished = true;
      if (!leg->accepted) leave(*leg, "it hung up");
      break;
    case Kind::kReset:
      leave(*leg, "it hung up");
      break;
    case Kind::kStopped:
      if (leg->accepted) leave(*leg, "it hung up");
      break;
    case Kind::kOpened:
    case Kind::kClosed:
      break;
  }
  settle(out);
}

void TcpCopy::on_lost(const StreamRef& ref, TimePoint /*now*/, ClientOutbox& out) {
  streams_.release(ref);
  auto* leg = find(ref);
  if (leg == nullptr) return;
  leg->opened = false;  // there is nothing to reset
  leave(*leg, "the connection to it is gone");
  settle(out);
}

void TcpCopy::restrict_to(const Permitted& permitted, TimePoint /*now*/, ClientOutbox& out) {
  for (auto& leg : legs_) {
    if (!permitted(leg.slot)) leave(leg, "the routes have changed");
  }
  settle(out);
}

// --- What the application says ----------------------------------------------

/// The quickest receiver sets the pace, while nobody's buffer is full.
MutBytes TcpCopy::space() {
  const bool waits =
      std::any_of(legs_.begin(), legs_.end(), [](const Leg& leg) { return !leg.gone && leg.full; });
  const bool ready = std::any_of(legs_.begin(), legs_.end(),
                                 [](const Leg& leg) { return !leg.gone && leg.lag() == 0; });
  return ready && !waits && !ended_ ? MutBytes(incoming_) : MutBytes{};
}

void TcpCopy::commit(std::size_t size) {
  for (auto& leg : legs_) {
    if (!leg.gone) feed(leg, Bytes(incoming_).first(size));
  }
}

void TcpCopy::feed(Leg& leg, Bytes bytes) {
  if (auto* stream = connection(leg); stream != nullptr && leg.lag() == 0) {
    bytes = bytes.subspan(stream->write(leg.ref.id, bytes));
    streams_.touch(leg.slot);
  }
  if (leg.behind_out > buffer_) {
    leg.behind.erase(leg.behind.begin(),
                     leg.behind.begin() + static_cast<std::ptrdiff_t>(leg.behind_out));
    leg.behind_out = 0;
  }
  leg.behind.insert(leg.behind.end(), bytes.begin(), bytes.end());
  leg.full |= leg.lag() + kMaxFrame > buffer_;
}

void TcpCopy::catch_up(Leg& leg) {
  auto* stream = connection(leg);
  if (stream == nullptr) return;
  streams_.touch(leg.slot);
  leg.behind_out += stream->write(leg.ref.id, Bytes(leg.behind).subspan(leg.behind_out));
  if (leg.lag() <= buffer_ / 2) {
    leg.full = false;
    leg.cut_at = kNever;
  }
  if (leg.lag() > 0) return;
  leg.behind.clear();
  leg.behind_out = 0;
  if (!ended_ || std::exchange(leg.end_said, true)) return;
  stream->finish(leg.ref.id);
}

void TcpCopy::cut_slow(TimePoint now, ClientOutbox& out) {
  for (auto& leg : legs_) {
    if (leg.gone || !leg.full) continue;
    if (leg.cut_at == kNever) leg.cut_at = now + kPatience;
    if (now < leg.cut_at) continue;
    leave(leg, "too slow, cut off", true);
    if (!space().empty()) out.commands.emplace_back(TcpWritable{number_});
  }
}

TimePoint TcpCopy::deadline() const {
  auto due = due_;
  for (const auto& leg : legs_) {
    if (leg.gone || !leg.full) continue;
    due = std::min(due, leg.cut_at == kNever ? TimePoint::min() : leg.cut_at);
  }
  return due;
}

void TcpCopy::on_end(ClientOutbox& out) {
  ended_ = true;
  for (auto& leg : legs_) {
    if (!leg.gone) catch_up(leg);
  }
  settle(out);
}

// --- What the receivers say -------------------------------------------------

bool TcpCopy::take_answer(Leg& leg) {
  auto& stream = *connection(leg);
  while (!leg.answer.is_complete()) {
    const auto bytes = stream.readable(leg.ref.id);
    if (bytes.empty()) return false;
    stream.consume(leg.ref.id, leg.answer.take(bytes));
  }
  leg.accepted = leg.answer.is_accepted();
  if (!leg.accepted) leave(leg, leg.answer.reason());
  return leg.accepted;
}

void TcpCopy::take_replies(Leg& leg) {
  auto* stream = connection(leg);
  if (leg.gone || stream == nullptr || !take_answer(leg)) return;
  while (readable().size() < kMostReplies) {
    const auto bytes = stream->readable(leg.ref.id);
    if (bytes.empty()) return;
    const auto known = leg.reply.size() >= kFrameLength;
    const std::size_t whole =
        kFrameLength + (known ? load_le<std::uint16_t>(leg.reply.data()) : std::size_t{0});
    const auto taken = std::min(bytes.size(), whole - leg.reply.size());
    leg.reply.insert(leg.reply.end(), bytes.begin(),
                     bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    stream->consume(leg.ref.id, taken);
    streams_.touch(leg.slot);
    if (!known || leg.reply.size() < whole) continue;
    replies_.insert(replies_.end(), leg.reply.begin() + kFrameLength, leg.reply.end());
    leg.reply.clear();
  }
}

void TcpCopy::consume(std::size_t size) {
  replies_out_ += size;
  if (replies_out_ < replies_.size()) return;
  replies_.clear();
  replies_out_ = 0;
}

void TcpCopy::tend(TimePoint now, ClientOutbox& out) {
  if (is_over()) return;
  if (due_ != kNever) open_waiting(now);
  cut_slow(now, out);
  for (auto& leg : legs_) take_replies(leg);
  if (!readable().empty()) out.commands.emplace_back(TcpReadable{number_});
  settle(out);
}

// --- The end ----------------------------------------------------------------

/// Says what is to be said when the last receiver has finished, or is gone.
void TcpCopy::settle(ClientOutbox& out) {
  if (is_over()) return;
  const bool talks = std::any_of(legs_.begin(), legs_.end(),
                                 [](const Leg& leg) { return !leg.gone && !leg.finished; });
  if (talks || !readable().empty()) return;
  const bool heard_out =
      std::any_of(legs_.begin(), legs_.end(), [](const Leg& leg) { return !leg.gone; });
  if (!heard_out && !(ended_ && finish_said_)) return give_up(kGivenUp, true, out);
  const bool said = std::all_of(legs_.begin(), legs_.end(),
                                [](const Leg& leg) { return leg.gone || leg.end_said; });
  if (ended_ && said) {
    for (const auto& leg : legs_) {
      if (!leg.gone) streams_.release(leg.ref);
    }
    return end(CloseTcp{number_}, out);
  }
  if (!std::exchange(finish_said_, true)) out.commands.emplace_back(FinishTcp{number_});
}

void TcpCopy::give_up(std::uint64_t code, bool tell, ClientOutbox& out) {
  for (const auto& leg : legs_) {
    if (leg.gone || !leg.opened) continue;
    streams_.release(leg.ref);
    if (auto* stream = connection(leg)) stream->reset(leg.ref.id, code);
    streams_.touch(leg.slot);
  }
  if (tell) return end(ResetTcp{number_}, out);
  end();
}

}  // namespace wormhole
