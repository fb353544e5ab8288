#include "client/flow_impairment.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

bool FlowImpairment::Part::has(ClientNo number) const {
  return receivers.empty() || std::binary_search(receivers.begin(), receivers.end(), number);
}

void FlowImpairment::set(std::vector<ImpairPart> parts) {
  for (auto& part : parts_) part.in_force = false;
  for (auto& wanted : parts) {
    const auto at = std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) {
      return !part.in_force && part.receivers == wanted.receivers;
    });
    if (at == parts_.end()) {
      parts_.push_back(
          {std::move(wanted.receivers), std::make_unique<Impairer>(std::move(wanted.profile), pool_,
                                                                   rng_.number<std::uint64_t>())});
      continue;
    }
    at->in_force = true;
    if (at->machine->profile() != wanted.profile) at->machine->set_profile(wanted.profile);
  }
  tidy();
}

void FlowImpairment::tidy() {
  std::erase_if(parts_, [this](const Part& part) {
    const bool gone = !part.in_force && part.machine->held() == 0;
    if (gone) past_ += part.machine->counts();
    return gone;
  });
}

bool FlowImpairment::is_in_force() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.in_force; });
}

FlowImpairment::Part* FlowImpairment::part_for(ClientNo receiver) {
  for (auto& part : parts_) {
    const bool fits = receiver.value == 0 ? part.receivers.empty() : part.has(receiver);
    if (part.in_force && fits) return &part;
  }
  return nullptr;
}

TimePoint FlowImpairment::next_deadline() const {
  auto due = kNever;
  for (const auto& part : parts_) due = std::min(due, part.machine->next_deadline());
  return due;
}

ImpairStatus FlowImpairment::status() const {
  ImpairStatus status;
  auto counts = past_;
  for (const auto& part : parts_) {
    counts += part.machine->counts();
    status.held += part.machine->held();
    const auto& name = part.machine->profile().name;
    if (!part.in_force || name.empty()) continue;
    status.profile += (status.profile.empty() ? "" : ", ") + name;
  }
  status.offered = counts.offered;
  status.lost = {{"loss", counts.lost},
                 {"handover", counts.handover},
                 {"limit", counts.over_limit},
                 {"memory", counts.over_memory}};
  std::erase_if(status.lost, [](const DropCount& cause) { return cause.count == 0; });
  status.delayed = counts.delayed;
  if (counts.delayed > 0) {
    status.mean_delay =
        std::chrono::microseconds(static_cast<std::int64_t>(counts.waited_us / counts.delayed));
  }
  status.duplicated = counts.duplicated;
  status.reordered = counts.reordered;
  status.corrupted = counts.corrupted;
  return status;
}

}  // namespace wormhole
