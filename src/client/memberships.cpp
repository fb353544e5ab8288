#include "client/memberships.hpp"

#include <algorithm>

namespace wormhole {
namespace {

constexpr auto kSides = {Side::kFrom, Side::kTo, Side::kFirst, Side::kSecond, Side::kMesh};

std::vector<Side> sides_in(std::uint8_t mask) {
  std::vector<Side> sides;
  for (const auto side : kSides) {
    if ((mask >> static_cast<unsigned>(side) & 1U) != 0) sides.push_back(side);
  }
  return sides;
}

/// The server's words may end on a terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }, '?');
  return text;
}

}  // namespace

bool Memberships::put(const FlowOffer& offer) {
  if (!offers_.contains(offer.number) && offers_.size() >= kMaxOffers) return false;
  offers_[offer.number] = offer;
  return true;
}

void Memberships::restart(std::vector<ClientCommand>& commands) {
  offers_.clear();
  for (const auto& [ticket, until] : pending_) {
    commands.emplace_back(MembershipAnswered{
        ticket,
        "the link to the server was interrupted; see with 'wormhole flow list' whether it "
        "was done"});
  }
  pending_.clear();
}

void Memberships::request(std::uint32_t ticket, const MembershipChange& change, HopLink& hop,
                          TimePoint now, ClientOutbox& out) {
  const auto refuse = [&](const char* why) {
    out.commands.emplace_back(MembershipAnswered{ticket, why});
  };
  if (!hop.is_connected()) return refuse("the server does not answer; try again when it does");
  if (pending_.size() >= kMaxPending) return refuse("too many requests are under way; try again");
  pending_[ticket] = now + kPatience;
  MembershipRequest message{ticket, change.join, MembershipRequest::kAnySide, change.flow};
  if (change.side) message.side = static_cast<std::uint8_t>(*change.side);
  hop.send_message(message, now, out);
}

void Memberships::on_answer(const MembershipAnswer& answer, std::vector<ClientCommand>& commands) {
  if (pending_.erase(answer.ticket) == 0) return;  // late: it was said to have failed
  std::optional<std::string> error;
  if (!answer.reason.empty()) error = printable(answer.reason);
  commands.emplace_back(MembershipAnswered{answer.ticket, std::move(error)});
}

void Memberships::on_timeout(TimePoint now, std::vector<ClientCommand>& commands) {
  std::erase_if(pending_, [&](const auto& item) {
    if (now < item.second) return false;
    commands.emplace_back(MembershipAnswered{item.first, "the server did not answer within 10 s"});
    return true;
  });
}

TimePoint Memberships::next_deadline() const {
  auto due = kNever;
  for (const auto& [ticket, until] : pending_) due = std::min(due, until);
  return due;
}

std::vector<OfferStatus> Memberships::status() const {
  std::vector<OfferStatus> all;
  for (const auto& [number, offer] : offers_) {
    all.push_back({offer.name, static_cast<Protocol>(offer.protocol), offer.port,
                   sides_in(offer.sides), sides_in(offer.joined)});
  }
  return all;
}

}  // namespace wormhole
