#include "wormhole/session/control_stream.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "wormhole/base/rng.hpp"

namespace wormhole {
namespace {

/// A message with a recognisable number.
std::vector<std::uint8_t> numbered(std::uint32_t number) { return encode(Sync{number}); }

/// Two streams and a path between them that loses, repeats and reorders; time jumps to the next
/// event.
class Pipe {
 public:
  explicit Pipe(std::uint64_t seed, unsigned loss_percent) : rng_(seed), loss_(loss_percent) {}

  void run(ControlStream& from, ControlStream& to, std::vector<std::uint32_t>& arrived) {
    while (const auto segment = from.next_segment(now_)) {
      if (rng_.below(100) < loss_) continue;
      const StreamSegment copy{segment->offset, keep(segment->bytes)};
      if (rng_.below(10) == 0) under_way_.push_front(copy);
      under_way_.push_back(copy);
    }
    while (!under_way_.empty()) {
      to.on_segment(under_way_.front());
      under_way_.pop_front();
      const auto ack = to.take_ack();
      if (ack && rng_.below(100) >= loss_) from.on_ack(*ack, now_);
      for (auto decoded = to.next_message(); decoded.consumed > 0; decoded = to.next_message()) {
        ASSERT_EQ(decoded.state, DecodedMessage::State::kMessage);
        arrived.push_back(std::get<Sync>(*decoded.message).revision);
      }
    }
    const auto due = from.next_deadline();
    if (due != kNever) now_ = std::max(now_ + 1ms, due);
  }
  TimePoint now() const { return now_; }

 private:
  Bytes keep(Bytes bytes) { return kept_.emplace_back(bytes.begin(), bytes.end()); }
  SeededRng rng_;
  unsigned loss_;
  TimePoint now_{1s};
  std::deque<StreamSegment> under_way_;
  std::deque<std::vector<std::uint8_t>> kept_;
};

TEST(ControlStream, DeliversEverythingOnceAndInOrderOverALossyPath) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    ControlStream from;
    ControlStream to;
    Pipe pipe(seed, static_cast<unsigned>(seed % 40));
    std::vector<std::uint32_t> sent;
    std::vector<std::uint32_t> arrived;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      ASSERT_TRUE(from.push(numbered(i)));
      sent.push_back(i);
      if (i % 100 == 0) pipe.run(from, to, arrived);
    }
    for (int round = 0; round < 2000 && arrived.size() < sent.size(); ++round) {
      pipe.run(from, to, arrived);
    }
    ASSERT_EQ(arrived, sent) << "seed " << seed;
  }
}

TEST(ControlStream, SaysWhenItsBufferIsFull) {
  ControlStream stream;
  const std::vector<std::uint8_t> message(kMaxMessageBody, 0);
  std::size_t taken = 0;
  while (stream.push(message)) ++taken;
  EXPECT_EQ(taken, ControlStream::kMaxBuffered / message.size());
}

TEST(ControlStream, KeepsToItsWindow) {
  ControlStream stream;
  for (std::uint32_t i = 0; i < 20000; ++i) ASSERT_TRUE(stream.push(numbered(i)));
  std::size_t sent = 0;
  while (const auto segment = stream.next_segment(TimePoint{1s})) sent += segment->bytes.size();
  EXPECT_EQ(sent, ControlStream::kWindow);
  EXPECT_EQ(stream.next_deadline(), TimePoint{1s} + ControlStream::kRetransmitFirst);
}

TEST(ControlStream, AcksOfWhatWasNeverSentAndOldOnesChangeNothing) {
  ControlStream stream;
  ASSERT_TRUE(stream.push(numbered(1)));
  ASSERT_TRUE(stream.next_segment(TimePoint{1s}));
  stream.on_ack(StreamAck{5000}, TimePoint{1s});
  stream.on_ack(StreamAck{0xffffff00}, TimePoint{1s});
  EXPECT_EQ(stream.next_deadline(), TimePoint{1s} + ControlStream::kRetransmitFirst);
  stream.on_ack(StreamAck{7}, TimePoint{1s});
  EXPECT_EQ(stream.next_deadline(), kNever);
}

TEST(ControlStream, SegmentsThatLeaveAGapAreNotTaken) {
  ControlStream stream;
  const auto message = numbered(1);
  stream.on_segment({3, Bytes(message).subspan(3)});
  EXPECT_EQ(stream.take_ack()->offset, 0U);
  stream.on_segment({0, Bytes(message).first(5)});
  stream.on_segment({2, Bytes(message).subspan(2)});  // overlaps
  EXPECT_EQ(stream.take_ack()->offset, message.size());
  EXPECT_EQ(stream.next_message().state, DecodedMessage::State::kMessage);
  EXPECT_FALSE(stream.take_ack());
}

/// Everything that may be sent now, copied.
std::deque<std::vector<std::uint8_t>> drain(ControlStream& stream, TimePoint now,
                                            std::deque<std::uint32_t>& offsets) {
  std::deque<std::vector<std::uint8_t>> sent;
  while (const auto segment = stream.next_segment(now)) {
    offsets.push_back(segment->offset);
    sent.emplace_back(segment->bytes.begin(), segment->bytes.end());
  }
  return sent;
}

TEST(ControlStream, OneLostSegmentCostsOneWindowAgain) {
  ControlStream from;
  ControlStream to;
  for (std::uint32_t i = 0; i < 40000; ++i) ASSERT_TRUE(from.push(numbered(i)));
  std::deque<std::uint32_t> offsets;
  auto under_way = drain(from, TimePoint{1s}, offsets);
  const auto window = under_way.size();
  under_way.pop_front();  // lost
  offsets.pop_front();
  std::size_t sent = window;
  std::uint32_t arrived = 0;
  // All within one instant, so that no timer takes part.
  while (!under_way.empty()) {
    to.on_segment({offsets.front(), under_way.front()});
    under_way.pop_front();
    offsets.pop_front();
    while (to.next_message().consumed > 0) ++arrived;
    from.on_ack(*to.take_ack(), TimePoint{1s});
    for (auto& bytes : drain(from, TimePoint{1s}, offsets)) {
      under_way.push_back(std::move(bytes));
      ++sent;
    }
  }
  EXPECT_EQ(arrived, 40000U);
  const auto needed = std::size_t{40000} * 7 / kMaxSegment + 1;
  EXPECT_LT(sent, needed + 2 * window);
}

}  // namespace
}  // namespace wormhole
