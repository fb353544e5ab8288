#include "sim/tcp_host.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wormhole::sim {
namespace {

/// A connection on the loopback takes some context switches.
constexpr Duration kConnectTime = 50us;
constexpr Endpoint kApplication{IpAddress{}, 50000};

}  // namespace

std::uint8_t tcp_pattern(std::uint64_t conversation, bool dials, std::size_t offset) {
  if (dials && offset < TcpHost::kHello) {
    return static_cast<std::uint8_t>(conversation >> (8 * offset));
  }
  const auto mixed =
      (conversation * 2 + (dials ? 1 : 0) + 1) * 0x9e3779b97f4a7c15u + offset * 0xbf58476d1ce4e5b9u;
  return static_cast<std::uint8_t>(mixed >> 56);
}

void TcpHost::attach(Client* core, ClientOutbox* out) {
  core_ = core;
  out_ = out;
  ++process_;
  ports_.clear();
  while (!talks.empty()) {
    past_.push_back(talks.extract(talks.begin()));
    auto& talk = past_.back().mapped();
    if (!talk.is_over()) talk.reset = true;
  }
}

void TcpHost::stop_listening(AppPort port) {
  std::erase_if(ports_, [&](const auto& item) { return item.second == port; });
}

TcpTalk* TcpHost::dial(const std::string& flow, std::uint64_t conversation, std::size_t bytes,
                       bool finishes, ClientNo peer) {
  const auto port = ports_.find(flow);
  if (core_ == nullptr || port == ports_.end()) return nullptr;
  const AppPort at{port->second.flow, peer};
  const auto number = core_->on_tcp_accepted(at, kApplication, world_.now(), *out_);
  if (!number) {
    settle_();
    return nullptr;
  }
  auto& talk = talks[*number];
  talk.conversation = conversation;
  talk.flow = flow;
  talk.dials = talk.open = true;
  talk.to_write = bytes;
  talk.finishes = finishes;
  talk.began = world_.now();
  settle_();
  go_on(talk);
  return &talk;
}

TcpNo TcpHost::number_of(const TcpTalk& talk) const {
  const auto at = std::find_if(talks.begin(), talks.end(),
                               [&](const auto& item) { return &item.second == &talk; });
  return at->first;
}

TcpTalk* TcpHost::find(std::uint64_t conversation) {
  const auto at = std::find_if(talks.begin(), talks.end(), [&](const auto& item) {
    return item.second.conversation == conversation;
  });
  return at == talks.end() ? nullptr : &at->second;
}

void TcpHost::reset(TcpTalk& talk) {
  if (talk.is_over() || core_ == nullptr) return;
  talk.reset = true;
  core_->on_tcp_reset(number_of(talk), world_.now(), *out_);
  settle_();
}

void TcpHost::go_on(TcpTalk& talk) { pump(number_of(talk), talk); }

void TcpHost::read_some(TcpTalk& talk, std::size_t most) {
  if (talk.is_over() || core_ == nullptr) return;
  read(number_of(talk), talk, most);
  core_->flush_streams(world_.now(), *out_);
  settle_();
}

void TcpHost::pump(TcpNo number, TcpTalk& talk) {
  if (core_ == nullptr || talk.is_over() || !talk.open) return;
  write(number, talk);
  if (talk.reads) read(number, talk, SIZE_MAX);
  core_->flush_streams(world_.now(), *out_);
  const bool knows = talk.dials || talk.read >= kHello;
  const bool finish = talk.finishes && talk.written == talk.to_write && knows;
  if (finish && !std::exchange(talk.finish_said, true)) {
    core_->on_tcp_end(number, world_.now(), *out_);
  }
  settle_();
}

void TcpHost::write(TcpNo number, TcpTalk& talk) {
  while (talk.written < talk.to_write) {
    const auto room = core_->tcp_space(number);
    if (room.empty()) return;
    const auto size = std::min(room.size(), talk.to_write - talk.written);
    for (std::size_t i = 0; i < size; ++i) {
      room[i] = tcp_pattern(talk.conversation, talk.dials, talk.written + i);
    }
    core_->tcp_commit(number, size);
    talk.written += size;
  }
}

void TcpHost::read(TcpNo number, TcpTalk& talk, std::size_t most) {
  while (most > 0) {
    auto bytes = core_->tcp_readable(number);
    if (bytes.empty()) return;
    bytes = bytes.first(std::min(bytes.size(), most));
    judge(talk, bytes);
    most -= bytes.size();
    const bool news = !talk.dials && talk.read >= kHello && talk.read - bytes.size() < kHello;
    core_->tcp_consume(number, bytes.size());
    if (news && on_conversation) on_conversation(talk);
  }
}

void TcpHost::judge(TcpTalk& talk, Bytes bytes) {
  if (talk.first_byte == kNever) talk.first_byte = world_.now();
  talk.last_byte = world_.now();
  if (on_bytes) {
    on_bytes(talk, bytes);
    talk.read += bytes.size();
    return;
  }
  for (const auto byte : bytes) {
    if (!talk.dials && talk.read < kHello) {
      talk.conversation |= std::uint64_t{byte} << (8 * talk.read);
    } else if (byte != tcp_pattern(talk.conversation, !talk.dials, talk.read)) {
      talk.corrupt = true;
    }
    ++talk.read;
  }
  if (talk.corrupt) world_.violate(name_ + " reads other bytes than were written");
}

void TcpHost::execute(const ConnectTarget& command) {
  const auto found = services.find(command.to.port);
  const auto service = found == services.end() ? Service::kAccepts : found->second;
  if (service == Service::kIsSilent) return;
  world_.after(kConnectTime, [this, number = command.connection, service, process = process_] {
    if (process != process_ || core_ == nullptr) return;
    if (service == Service::kRefuses) {
      core_->on_tcp_failed(number, "connection refused", world_.now(), *out_);
      return settle_();
    }
    auto& talk = talks[number];
    if (talk.is_over()) return;
    talk.open = true;
    talk.began = world_.now();
    core_->on_tcp_connected(number, world_.now(), *out_);
    if (service == Service::kSpeaksFirst) {
      const auto room = core_->tcp_space(number);
      copy_bytes(as_bytes(kBanner), room);
      core_->tcp_commit(number, kBanner.size());
      core_->flush_streams(world_.now(), *out_);
    }
    settle_();
    pump(number, talk);
  });
}

void TcpHost::execute(const TcpReadable& command) {
  const auto talk = talks.find(command.connection);
  if (talk != talks.end()) pump(command.connection, talk->second);
}

void TcpHost::execute(const TcpWritable& command) {
  const auto talk = talks.find(command.connection);
  if (talk != talks.end()) pump(command.connection, talk->second);
}

void TcpHost::execute(const FinishTcp& command) {
  auto& talk = talks[command.connection];
  talk.ended = true;
  pump(command.connection, talk);
}

void TcpHost::execute(const CloseTcp& command) {
  auto& talk = talks[command.connection];
  talk.ended = talk.closed = true;
}

void TcpHost::execute(const ResetTcp& command) { talks[command.connection].reset = true; }

}  // namespace wormhole::sim
