#include "sim/ledger.hpp"

#include <algorithm>
#include <utility>

#include "wormhole/base/result.hpp"
#include "wormhole/base/rng.hpp"

namespace wormhole::sim {
namespace {

bool has(const Members& members, const std::string& id) {
  return std::find(members.begin(), members.end(), id) != members.end();
}

bool permits(const Route& route, const std::string& from, const std::string& to) {
  switch (route.kind) {
    case Route::Kind::kFromTo:
      return has(route.first, from) && has(route.second, to);
    case Route::Kind::kBetween:
      return (has(route.first, from) && has(route.second, to)) ||
             (has(route.second, from) && has(route.first, to));
    case Route::Kind::kMesh:
      return has(route.first, from) && has(route.first, to);
  }
  return false;
}

}  // namespace

bool permitted(const wormhole::Network& network, const std::string& flow, const std::string& from,
               const std::string& to) {
  if (from == to) return false;
  for (const auto& candidate : network.flows) {
    if (candidate.name != flow) continue;
    for (const auto& route : candidate.routes) {
      if (permits(route, from, to)) return true;
    }
  }
  return false;
}

void Ledger::set_network(wormhole::Network network, TimePoint now) {
  previous_ = std::exchange(network_, std::move(network));
  changed_at_ = now;
}

void Ledger::fill(std::vector<std::uint8_t>& payload, std::uint64_t number) {
  SeededRng(number).fill(payload);
  store_le(payload.data(), number);
}

std::vector<std::uint8_t> Ledger::make(const std::string& from, const std::string& flow,
                                       std::size_t size, TimePoint now) {
  std::vector<std::uint8_t> payload(std::max(size, kMinSize));
  fill(payload, records_.size());
  records_.push_back({from, flow, payload.size(), now, {}});
  return payload;
}

bool Ledger::was_permitted(const Record& record, const std::string& to, TimePoint now) const {
  return permitted(network_, record.flow, record.from, to) ||
         (now - changed_at_ <= kGrace && permitted(previous_, record.flow, record.from, to));
}

std::optional<std::string> Ledger::deliver(const std::string& id, const std::string& flow,
                                           const Endpoint& application, Bytes bytes,
                                           TimePoint now) {
  if (bytes.size() < kMinSize) return "a datagram was delivered that nobody sent";
  const auto number = load_le<std::uint64_t>(bytes.data());
  if (number >= records_.size()) return "a datagram was delivered that nobody sent";
  auto& record = records_[number];
  std::vector<std::uint8_t> expected(record.size);
  fill(expected, number);
  const auto name = "datagram " + std::to_string(number) + " of " + record.from;
  const bool impaired = !impaired_.empty() && flow == impaired_;
  if (!std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end())) {
    if (impaired) ++altered_;
    const bool is_whole = bytes.size() == expected.size();
    if (!impaired || !is_whole)
      return name + " was delivered to " + id + " with other bytes than were sent";
  }
  if (record.flow != flow) return name + " of " + record.flow + " was delivered on " + flow;
  if (!was_permitted(record, id, now)) {
    return name + " was delivered to " + id + ", which no route of " + flow + " permits";
  }
  for (const auto& before : record.deliveries) {
    if (before.id == id && before.application == application) {
      if (impaired) {
        ++repeated_;
        return std::nullopt;
      }
      return name + " was delivered twice to " + id + " at " + application.to_string();
    }
  }
  record.deliveries.push_back({id, application, now});
  return std::nullopt;
}

std::size_t Ledger::sent(const std::string& from, const std::string& flow, TimePoint since,
                         TimePoint until) const {
  return static_cast<std::size_t>(std::count_if(records_.begin(), records_.end(), [&](auto& r) {
    return r.from == from && r.flow == flow && r.at >= since && r.at < until;
  }));
}

std::size_t Ledger::delivered(const std::string& from, const std::string& flow, TimePoint since,
                              TimePoint until) const {
  return static_cast<std::size_t>(std::count_if(records_.begin(), records_.end(), [&](auto& r) {
    return r.from == from && r.flow == flow && r.at >= since && r.at < until &&
           !r.deliveries.empty();
  }));
}

std::string Ledger::missing(const std::string& from, const std::string& flow,
                            TimePoint start) const {
  std::string text = "missing:";
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto& r = records_[i];
    if (r.from != from || r.flow != flow || !r.deliveries.empty()) continue;
    text += " #" + std::to_string(i) + " of " + std::to_string(to_ms(r.at - start)) + " ms";
  }
  return text;
}

}  // namespace wormhole::sim
