#include "server/link_history.hpp"

namespace wormhole {

void LinkHistory::add(const LinkNews& news, LinkBudget& budget, TimePoint now) {
  budget_ = &budget;
  ++budget.news;
  const Key key{news.peer, news.way, news.flow};
  if (!links_.contains(key)) {
    if (links_.size() >= kMostLinks) expire(now);
    if (links_.size() >= kMostLinks) {
      ++budget.links_refused;
      return;
    }
    ++budget.links;
  }
  Link& link = links_[key];
  link.newest = {now, news};
  keep(link, now);
}

/// Within the pause the newest takes the place of the sample before: the last word of a second is
/// what remains of it.
void LinkHistory::keep(Link& link, TimePoint now) {
  while (!link.samples.empty() && now - link.samples.front().at > kKept) {
    link.samples.pop_front();
    --budget_->samples;
  }
  if (!link.samples.empty() && now - link.samples.back().at < kPause) {
    link.samples.back().news = link.newest.news;
    return;
  }
  if (budget_->samples >= LinkBudget::kMostSamples) {
    ++budget_->samples_refused;
    return;
  }
  link.samples.push_back(link.newest);
  ++budget_->samples;
}

void LinkHistory::expire(TimePoint now) {
  for (auto at = links_.begin(); at != links_.end();) {
    auto& [key, link] = *at;
    while (!link.samples.empty() && now - link.samples.front().at > kKept) {
      link.samples.pop_front();
      --budget_->samples;
    }
    const bool old = now - link.newest.at > kKept;
    if (old) {
      budget_->samples -= link.samples.size();
      --budget_->links;
    }
    at = old ? links_.erase(at) : std::next(at);
  }
}

void LinkHistory::clear() {
  for (const auto& [key, link] : links_) {
    budget_->samples -= link.samples.size();
    --budget_->links;
  }
  links_.clear();
}

}  // namespace wormhole
