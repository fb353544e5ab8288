#include "client/tcp_dial.hpp"

#include <algorithm>
#include <utility>

#include "client/stream_words.hpp"

namespace wormhole {

// --- Whom -------------------------------------------------------------------

void TcpDial::try_next(TimePoint now, ClientOutbox& out) {
  stage_ = Stage::kWaiting;
  due_ = kNever;
  while (has_others()) {
    slot_ = plan_.slots[next_++];
    const auto* peer = streams_.peer(slot_);
    if (peer == nullptr) continue;
    if (!peer->is_online()) {
      why_ = peer->id() + " is offline";
      continue;
    }
    if (wait_or_ask(now)) return;
  }
  on_refused_(why_.empty() ? "nobody is there to be reached" : why_);
  end(ResetTcp{number_}, out);
}

/// False when there is no use in waiting.
bool TcpDial::wait_or_ask(TimePoint now) {
  if (streams_.peer(slot_)->streams().usable(plan_.group) != nullptr) return ask(now);
  due_ = now + (has_others() ? kAnswerLimit : kUpLimit);
  return true;
}

bool TcpDial::ask(TimePoint now) {
  const auto ref = streams_.open(slot_, plan_.group, number_);
  if (!ref) {
    why_ = streams_.peer(slot_)->id() + " has as many streams open as it may";
    return false;
  }
  ref_ = *ref;
  answer_ = {};
  stage_ = Stage::kAsked;
  due_ = has_others() ? now + kAnswerLimit : kNever;
  auto& stream = *connection();
  const auto hello = encode(StreamHello{plan_.flow, false, plan_.application_port});
  if (stream.write(ref_.id, hello) + stream.write(ref_.id, kept_) < hello.size() + kept_.size()) {
    why_ = "what may wait to be sent to " + streams_.peer(slot_)->id() + " is used up";
    abandon(kGivenUp);
    return false;
  }
  if (ended_) stream.finish(ref_.id);
  return true;
}

/// Of the stream that was asked for or is open.
void TcpDial::abandon(std::uint64_t code) {
  streams_.release(ref_);
  if (auto* stream = connection()) stream->reset(ref_.id, code);
  streams_.touch(ref_.slot);
}

void TcpDial::leave_candidate(const std::string& why, TimePoint now, ClientOutbox& out) {
  const auto* peer = streams_.peer(slot_);
  why_ = (peer == nullptr ? "the peer" : peer->id()) + ": " + why;
  try_next(now, out);
  // What the application may write has changed.
  if (!is_over() && stage_ == Stage::kAsked) out.commands.emplace_back(TcpWritable{number_});
}

void TcpDial::tend(TimePoint now, ClientOutbox& out) {
  if (is_over()) return;
  if (stage_ == Stage::kWaiting) {
    const auto* peer = streams_.peer(slot_);
    if (peer == nullptr || !peer->is_online()) return leave_candidate("it went away", now, out);
    if (streams_.peer(slot_)->streams().usable(plan_.group) != nullptr) {
      if (!ask(now)) return try_next(now, out);
      out.commands.emplace_back(TcpWritable{number_});
      return;
    }
  }
  if (now < due_) return;
  if (stage_ == Stage::kAsked) abandon(kGivenUp);
  leave_candidate("no answer", now, out);
}

// --- What the peer says -----------------------------------------------------

void TcpDial::on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint now,
                        ClientOutbox& out) {
  using Kind = StreamEvent::Kind;
  const bool asked = stage_ == Stage::kAsked;
  switch (event.kind) {
    case Kind::kReadable:
      if (asked) return read_answer(now, out);
      out.commands.emplace_back(TcpReadable{number_});
      break;
    case Kind::kWritable:
      out.commands.emplace_back(TcpWritable{number_});
      break;
    case Kind::kFinished:
      if (!asked) return on_finished(out);
      streams_.release(ref);
      return leave_candidate("it hung up", now, out);
    case Kind::kReset:
      streams_.release(ref);
      if (!asked) return end(ResetTcp{number_}, out);
      return leave_candidate(
          event.code == kStreamRefused ? "it has as many streams open as it may" : "it hung up",
          now, out);
    case Kind::kStopped:
      if (!asked) give_up(kGivenUp, true, out);
      break;  // else the answer says why
    case Kind::kOpened:
    case Kind::kClosed:
      break;
  }
}

void TcpDial::read_answer(TimePoint now, ClientOutbox& out) {
  auto& stream = *connection();
  while (!answer_.is_complete()) {
    const auto bytes = stream.readable(ref_.id);
    if (bytes.empty()) return;  // kReadable comes again, for all has been taken
    stream.consume(ref_.id, answer_.take(bytes));
  }
  streams_.touch(ref_.slot);
  if (!answer_.is_accepted()) {
    abandon(kGivenUp);
    return leave_candidate(answer_.reason(), now, out);
  }
  stage_ = Stage::kOpen;
  due_ = kNever;
  kept_ = {};
  out.commands.emplace_back(TcpWritable{number_});
  if (!stream.readable(ref_.id).empty()) out.commands.emplace_back(TcpReadable{number_});
}

void TcpDial::on_finished(ClientOutbox& out) {
  finished_ = true;
  if (!ended_) {
    out.commands.emplace_back(FinishTcp{number_});
    return;
  }
  streams_.release(ref_);
  end(CloseTcp{number_}, out);
}

void TcpDial::on_lost(const StreamRef& ref, TimePoint now, ClientOutbox& out) {
  streams_.release(ref);
  if (stage_ == Stage::kAsked) return leave_candidate("the connection to it is gone", now, out);
  end(ResetTcp{number_}, out);
}

// --- What the application says ----------------------------------------------

MutBytes TcpDial::space() {
  auto* stream = stage_ == Stage::kWaiting || ended_ ? nullptr : connection();
  if (stream == nullptr) return {};
  const auto room = stream->write_space(ref_.id);
  if (stage_ == Stage::kOpen || !has_others()) return room;
  return room.first(std::min(room.size(), kMostKept - kept_.size()));
}

void TcpDial::commit(std::size_t size) {
  auto* stream = connection();
  if (stage_ == Stage::kAsked && has_others()) {
    const auto bytes = stream->write_space(ref_.id).first(size);
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
  }
  stream->commit(ref_.id, size);
  streams_.touch(ref_.slot);
}

Bytes TcpDial::readable() const {
  const auto* stream = stage_ == Stage::kOpen ? connection() : nullptr;
  return stream == nullptr ? Bytes{} : stream->readable(ref_.id);
}

void TcpDial::consume(std::size_t size) {
  connection()->consume(ref_.id, size);
  streams_.touch(ref_.slot);
}

void TcpDial::on_end(ClientOutbox& out) {
  ended_ = true;
  if (stage_ == Stage::kWaiting) return;
  if (auto* stream = connection()) stream->finish(ref_.id);
  streams_.touch(ref_.slot);
  if (!finished_) return;
  streams_.release(ref_);
  end(CloseTcp{number_}, out);
}

void TcpDial::give_up(std::uint64_t code, bool tell, ClientOutbox& out) {
  if (stage_ != Stage::kWaiting) abandon(code);
  if (tell) return end(ResetTcp{number_}, out);
  end();
}

void TcpDial::restrict_to(const Permitted& permitted, TimePoint now, ClientOutbox& out) {
  auto& slots = plan_.slots;
  const auto untried = slots.begin() + static_cast<std::ptrdiff_t>(next_);
  slots.erase(std::remove_if(untried, slots.end(), [&](auto slot) { return !permitted(slot); }),
              slots.end());
  if (permitted(slot_)) return;
  if (stage_ == Stage::kOpen) return give_up(kGivenUp, true, out);
  if (stage_ == Stage::kAsked) abandon(kGivenUp);
  leave_candidate("the routes have changed", now, out);
}

}  // namespace wormhole
