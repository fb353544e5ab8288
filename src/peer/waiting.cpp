#include "wormhole/peer/waiting.hpp"

#include <utility>

namespace wormhole {

void WaitingDatagrams::drop_oldest() {
  const auto size = items_.front().bytes.size();
  bytes_ -= size;
  budget_.bytes -= size;
  items_.pop_front();
  ++overflow_;
}

void WaitingDatagrams::add(const FlowRef& flow, Bytes text, TimePoint now) {
  while (!items_.empty() && is_full(text.size())) drop_oldest();
  if (budget_.bytes + text.size() > WaitingBudget::kMostBytes) {
    ++overflow_;
    return;
  }
  bytes_ += text.size();
  budget_.bytes += text.size();
  items_.push_back({flow, now, {text.begin(), text.end()}});
}

std::deque<WaitingDatagrams::Item> WaitingDatagrams::take(TimePoint now) {
  while (!items_.empty() && now - items_.front().at > kMostAge) drop_oldest();
  budget_.bytes -= std::exchange(bytes_, 0);
  return std::exchange(items_, {});
}

void WaitingDatagrams::clear() {
  budget_.bytes -= std::exchange(bytes_, 0);
  items_.clear();
}

}  // namespace wormhole
