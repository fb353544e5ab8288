// Which way a peer's frames go, and what keeps its direct paths alive.
#include <algorithm>

#include "wormhole/peer/peer.hpp"

namespace wormhole {

SendOutcome Peer::dispatch(FlowKeys& keys, const FlowRef& flow, Way way, MutBytes text,
                           std::uint8_t flags, TimePoint now, Outbox& out) {
  auto* session = slots_.current();
  if (way == Way::kDirect) {
    const auto& path = *paths_.in_use();
    const auto frame = session->seal(keys, FrameType::kDirect, flow.number, text, now,
                                     static_cast<std::uint8_t>(flags | kFlagPath));
    if (frame.empty()) return SendOutcome::kKeyUsedUp;
    out.net(path.socket, path.remote, frame);
    paths_.on_sent(now);
    direct_mtu_.on_sent(frame.size(), now);
    note_sent(Way::kDirect, frame, now);
    return SendOutcome::kSent;
  }
  const auto frame = session->seal(keys, FrameType::kRelayed, flow.number, text, now, flags);
  if (frame.empty()) return SendOutcome::kKeyUsedUp;
  const auto copy = way == Way::kBoth ? out.reserve(frame.size()) : MutBytes{};
  if (!copy.empty()) {
    // The same sealed bytes, so that the other end's window drops whichever comes second.
    copy_bytes(frame, copy);
    copy[0] = static_cast<std::uint8_t>(FrameType::kDirect);
    out.net(paths_.in_use()->socket, paths_.in_use()->remote, copy);
    direct_mtu_.on_sent(copy.size(), now);
  }
  const bool relayed = hop_.relay(frame, out);
  if (relayed) relay_mtu_.on_sent(frame.size() + kHopTagSize, now);
  // Of what goes both ways the first to come counts, so that neither way would get all of it.
  if (relayed && copy.empty()) note_sent(Way::kRelay, frame, now);
  return relayed || !copy.empty() ? SendOutcome::kSent : SendOutcome::kNoServer;
}

MutBytes Peer::seal_control(const ControlWriter& items, FrameType type, std::uint8_t flags,
                            TimePoint now, Outbox& out) {
  auto* session = slots_.current();
  if (session == nullptr || items.empty()) return {};
  const auto text = out.reserve(items.bytes().size());
  if (text.empty()) return {};
  copy_bytes(items.bytes(), text);
  return session->seal(session->keys(kControlSlot, ""), type, FlowNo{0}, text, now, flags);
}

void Peer::send_control(const ControlWriter& items, TimePoint now, Outbox& out) {
  if (paths_.way(now) == Way::kDirect) return send_by_path(items, *paths_.in_use(), now, out);
  send_by_relay(items, now, out);
}

void Peer::send_by_relay(const ControlWriter& items, TimePoint now, Outbox& out) {
  const auto frame = seal_control(items, FrameType::kRelayed, kNoFlags, now, out);
  if (!frame.empty()) hop_.relay(frame, out);
}

void Peer::send_by_path(const ControlWriter& items, const PathAddress& path, TimePoint now,
                        Outbox& out) {
  const auto frame = seal_control(items, FrameType::kDirect, kFlagPath, now, out);
  if (frame.empty()) return;
  out.net(path.socket, path.remote, frame);
}

void Peer::set_address(const PeerAddress& address, TimePoint now, Outbox& out) {
  const bool moved = address_.report.mapped.is_set() &&
                     address_.report.mapped.address != address.report.mapped.address;
  address_ = address;
  if (!address.p2p) {
    paths_.clear("routes.yaml keeps it on the relay", path_actions_);
    return run_path_actions(now, out);
  }
  if (moved) doubt_paths(now, out);
}

bool Peer::may_be_at(const Endpoint& remote) const {
  if (!address_.p2p || !may_be_candidate(remote)) return false;
  return address_.report.address_varies || remote.address == address_.report.mapped.address;
}

void Peer::try_path(const PathAddress& path, Strategy strategy, TimePoint now, Outbox& out) {
  const PathAddress known{path.socket, canonical(path.remote)};
  if (!may_be_at(known.remote)) {
    ++drops_.foreign_address;
    return;
  }
  paths_.add_candidate(known, strategy, now);
  if (!has_session()) return;
  paths_.on_timeout(now, path_actions_);
  run_path_actions(now, out);
}

void Peer::doubt_paths(TimePoint now, Outbox& out) {
  forget_mtu();
  paths_.suspect(now, path_actions_);
  run_path_actions(now, out);
}

/// Nothing of the old process's can be reached any more.
void Peer::new_process(TimePoint now) {
  forget_mtu();
  forget_way(Way::kRelay);
  streams_.restart(now);
  stirred_ = true;
  paths_.clear("the peer was restarted", path_actions_);
  for (auto& action : std::exchange(path_actions_, {})) path_events_.push_back(std::move(action));
}

void Peer::send_talk(const PunchTalk& talk, TimePoint now, Outbox& out) {
  ControlWriter items;
  items.add(talk);
  send_by_relay(items, now, out);
}

void Peer::send_group_item(const GroupItem& item, TimePoint now, Outbox& out) {
  ControlWriter items;
  std::visit([&](const auto& one) { items.add(one); }, item);
  send_control(items, now, out);
}

namespace {

/// What control says about its path, its items tell.
Heard heard_by(const FrameHeader& header) {
  return is_control(header) ? Heard::kProof : Heard::kUse;
}

}  // namespace

/// An authentic frame that was sealed for the path that it came by.
void Peer::note_path(const FrameHeader& header, const FlowKeys& keys, const PathAddress& path,
                     TimePoint now, Outbox& out) {
  if (paths_.on_heard(path, heard_by(header), now)) return;
  // From a new address: only the newest frame says anything about now, and only a challenge
  // decides.
  if (header.counter == keys.window.highest()) try_path(path, Strategy::kDirect, now, out);
}

/// Somebody's copy of a frame was here first. Else a forwarder who is quicker than the way itself
/// could starve it: what it carries for the path still counts, as of the time that the mark gives.
void Peer::on_copy(const FrameHeader& header, const FlowKeys& keys, MutBytes frame,
                   const PathAddress& path, TimePoint now, Outbox& out) {
  if (!paths_.knows(path) || !Session::is_recent(keys, header)) return;
  const auto opened = Session::open_copy(keys, header, frame);
  if (opened.failure) return;
  paths_.on_heard(path, heard_by(header), keys.marked_at);
  if (!is_control(header)) return;
  ControlWriter reply;
  ControlReader reader(opened.text);
  while (const auto item = reader.next()) on_proof(*item, path, reply, keys.marked_at, now);
  send_by_path(reply, path, now, out);
  run_path_actions(now, out);
}

/// What an item says of the path that it came by, of which the news is as of `heard`. False when it
/// is about something else.
bool Peer::on_proof(const ControlItem& item, const PathAddress& path, ControlWriter& reply,
                    TimePoint heard, TimePoint now) {
  if (const auto* challenge = std::get_if<PathChallenge>(&item)) {
    // Who answers keeps the socket open: a path that was refused must not seem valid there.
    if (paths_.knows(path)) reply.add(PathResponse{challenge->token});
  } else if (const auto* response = std::get_if<PathResponse>(&item)) {
    const bool sized = paths_.in_use() != nullptr && *paths_.in_use() == path &&
                       direct_mtu_.on_answer(response->token, now);
    if (!sized) paths_.on_response(path, response->token, now, path_actions_);
  } else if (std::holds_alternative<Keepalive>(item)) {
    paths_.on_heard(path, Heard::kUse, heard);
  } else {
    return false;
  }
  return true;
}

void Peer::on_path_item(const ControlItem& item, const PathAddress* path, ControlWriter& reply,
                        TimePoint now, Outbox& out) {
  if (path != nullptr && on_proof(item, *path, reply, now, now)) return run_path_actions(now, out);
  if (path == nullptr && on_relay_proof(item, reply, now)) return;
  if (std::holds_alternative<PathSilent>(item)) {
    paths_.on_peer_silent(now, path_actions_);
  } else if (const auto* talk = std::get_if<PunchTalk>(&item)) {
    talk_ = *talk;
  } else if (const auto* keys = std::get_if<GroupKey>(&item)) {
    group_items_.emplace_back(*keys);
  } else if (const auto* ack = std::get_if<GroupKeyAck>(&item)) {
    group_items_.emplace_back(*ack);
  } else if (const auto* report = std::get_if<Feedback>(&item)) {
    way(report->direct ? Way::kDirect : Way::kRelay).news = *report;
  }
  run_path_actions(now, out);
}

void Peer::run_path_actions(TimePoint now, Outbox& out) {
  for (auto& action : std::exchange(path_actions_, {})) {
    ControlWriter items;
    if (const auto* challenge = std::get_if<SendChallenge>(&action)) {
      items.add(PathChallenge{challenge->token});
      send_by_path(items, challenge->path, now, out);
    } else if (const auto* keepalive = std::get_if<SendKeepalive>(&action)) {
      items.add(Keepalive{});
      send_by_path(items, keepalive->path, now, out);
    } else if (const auto* silent = std::get_if<SendSilent>(&action)) {
      items.add(PathSilent{
          static_cast<std::uint16_t>(std::min<std::int64_t>(to_ms(silent->silence), 65535))});
      send_by_relay(items, now, out);
      hop_.nudge(now);  // the same NAT may have forgotten the hop's mapping
    } else {
      if (std::holds_alternative<PathUp>(action)) rtt_.reset();
      const bool changed =
          std::holds_alternative<PathUp>(action) || std::holds_alternative<PathDown>(action);
      if (changed) {
        direct_mtu_.begin();
        forget_way(Way::kDirect);
        streams_.on_path_change(StreamClass::kUsual);
        stirred_ = true;
      }
      path_events_.push_back(std::move(action));
    }
  }
}

}  // namespace wormhole
