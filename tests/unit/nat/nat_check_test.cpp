#include "wormhole/nat/nat_check.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace wormhole {
namespace {

class Numbers : public Rng {
 public:
  void fill(MutBytes out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(++last_ * 37 >> 3);
  }

 private:
  std::uint32_t last_ = 0;
};

/// A check behind a NAT that gives each socket and destination the next port.
class NatCheckTest : public testing::Test {
 protected:
  using Lost = std::function<bool(const ProbeSend&, unsigned number)>;

  NatCheckTest() {
    NatSite site;
    site.servers = {*Endpoint::parse("198.51.100.10:7700"), *Endpoint::parse("198.51.100.11:7700")};
    site.probe_port = 7701;
    site.local_port = 5555;
    check_.start(site, now_);
  }

  Endpoint mapped(SocketNo socket, const Endpoint& to) {
    const auto key = std::pair(socket.value, independent_ ? "" : to.to_string());
    const auto [entry, is_new] = ports_.try_emplace(key, next_port_);
    if (is_new) ++next_port_;
    return {IpAddress::v4(203, 0, 113, 7), entry->second};
  }

  /// Until filtering and hairpin are known, and the late question is over.
  void run(const Lost& lost) {
    for (unsigned number = 0; now_ < TimePoint{} + 6s;) {
      NatActions actions;
      check_.on_timeout(now_, actions);
      for (const auto& one : actions.probes) {
        if (lost(one, number++)) continue;
        const auto from = mapped(one.socket, one.to);
        if (one.probe.from == ProbeFrom::kSame && one.probe.delay_s == 0)
          answers_.push_back({one.socket, {one.probe.token, from}});
      }
      for (const auto& one : actions.hairpins) (void)mapped(one.socket, one.to);
      for (const auto& [socket, answer] : std::exchange(answers_, {}))
        check_.on_answer(socket, answer, now_ + 10ms);
      now_ += 10ms;
    }
  }

  Numbers rng_;
  NatCheck check_{rng_};
  TimePoint now_{};
  bool independent_ = false;
  std::uint16_t next_port_ = 20000;
  std::map<std::pair<std::uint16_t, std::string>, std::uint16_t> ports_;
  std::vector<std::pair<SocketNo, ProbeAnswer>> answers_;
};

TEST_F(NatCheckTest, ItsOwnMappingsAreNotForeign) {
  run([](const ProbeSend&, unsigned) { return false; });
  EXPECT_EQ(check_.findings().report.allocation, PortAllocation::kSequential);
  EXPECT_EQ(check_.findings().report.foreign, 0);
  EXPECT_TRUE(check_.findings().complete);
}

TEST_F(NatCheckTest, ManyLossesLeaveTheAllocationKnown) {
  independent_ = true;
  // Of the extra sockets' first two volleys nothing arrives but two questions.
  std::map<std::uint16_t, int> tries;
  run([&](const ProbeSend& one, unsigned) {
    const bool extra = one.socket.value >= NatCheck::kFirstExtra.value &&
                       one.socket.value < NatCheck::kFirstExtra.value + 2 * NatCheck::kExtras;
    const auto place = (one.socket.value - NatCheck::kFirstExtra.value) % NatCheck::kExtras;
    return extra && place > 1 && ++tries[one.socket.value] <= 2;
  });
  EXPECT_EQ(check_.findings().report.mapping, NatMapping::kEndpointIndependent);
  EXPECT_EQ(check_.findings().report.allocation, PortAllocation::kSequential);
  EXPECT_TRUE(check_.findings().complete);
}

}  // namespace
}  // namespace wormhole
