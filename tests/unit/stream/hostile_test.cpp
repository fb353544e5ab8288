// Datagrams that no honest end sends: none crashes, all are counted.
#include <gtest/gtest.h>

#include "stream/null_cipher.hpp"
#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

TEST(StreamHostile, RandomBytesAreIgnoredAndCounted) {
  SeededRng rng(11);
  Rig rig;
  for (int before = 0; before < 2; ++before) {
    for (int i = 0; i < 3'000; ++i) {
      std::vector<std::uint8_t> bytes(rng.below(1'500));
      rng.fill(bytes);
      rig.inject(i % 2, bytes);
    }
    EXPECT_EQ(rig.end(1).statistics().datagrams_ignored,
              rig.end(1).statistics().datagrams_received);
    if (before == 0) break;
  }
  ASSERT_TRUE(rig.connect());
  for (int i = 0; i < 3'000; ++i) {
    std::vector<std::uint8_t> bytes(1 + rng.below(1'500));
    rng.fill(bytes);
    rig.inject(i % 2, bytes);
  }
  EXPECT_GE(rig.end(0).statistics().datagrams_ignored, 3'000u);
  const StreamId stream = rig.start(0, 100'000);
  EXPECT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 5s));
}

TEST(StreamHostile, RepeatedDatagramsChangeNothing) {
  Rig rig;
  std::vector<std::pair<int, std::vector<std::uint8_t>>> all;
  rig.on_sent = [&](int side, std::vector<std::uint8_t>& datagram) {
    all.emplace_back(1 - side, datagram);
    return true;
  };
  ASSERT_TRUE(rig.connect());
  const StreamId stream = rig.start(0, 200'000);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 5s));
  rig.on_sent = nullptr;
  const auto recorded = all;
  for (const auto& [side, datagram] : recorded) rig.inject(side, datagram);
  EXPECT_EQ(rig.end(0).state(), StreamState::kUp);
  EXPECT_EQ(rig.end(1).state(), StreamState::kUp);
  EXPECT_EQ(rig.end(1).statistics().bytes_received, 200'000u);
  const StreamId next = rig.start(1, 100'000);
  EXPECT_TRUE(rig.run_until([&] { return rig.talk(0, next).ended; }, 5s));
}

// An end that damages what it sends may end its own connection, and nothing else.
TEST(StreamHostile, CutAndChangedDatagramsEndTheConnectionAtMost) {
  unsigned survived = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rig rig(seed);
    SeededRng rng(seed);
    rig.on_sent = [&](int side, std::vector<std::uint8_t>& datagram) {
      if (side == 1 || rng.below(20) > 0) return true;
      if (rng.below(2) == 0) {
        datagram.resize(rng.below(static_cast<std::uint32_t>(datagram.size())));
      } else {
        datagram[rng.below(static_cast<std::uint32_t>(datagram.size()))] ^=
            static_cast<std::uint8_t>(1u << rng.below(8));
      }
      return !datagram.empty();
    };
    if (!rig.connect()) continue;
    rig.start(0, 100'000);
    rig.run_for(10s);
    const bool up = rig.end(1).state() == StreamState::kUp;
    survived += up ? 1 : 0;
    if (up) continue;
    EXPECT_EQ(rig.end(1).statistics().open, 0u);
    EXPECT_EQ(rig.end(1).statistics().receive_memory, 0u);
    EXPECT_EQ(rig.end(1).next_deadline(), kNever);
  }
  EXPECT_GT(survived, 0u);
}

// A packet's shortened number is read as the nearest to what is expected. One that comes back from
// an old path after 40,000 others is read as another number, and the cipher's check must see it.
TEST(StreamHostile, ALatePacketOfAnOldPathIsNotTakenForAnother) {
  Rig rig;
  std::vector<std::uint8_t> late;
  ASSERT_TRUE(rig.connect());
  rig.run_for(1s);
  rig.on_sent = [&](int side, std::vector<std::uint8_t>& datagram) {
    if (side == 0 && late.empty() && datagram.size() > 1'000) {
      late = datagram;
      return false;
    }
    return true;
  };
  const StreamId stream = rig.start(0, 60'000'000);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 60s));
  EXPECT_EQ(rig.end(1).statistics().numbers_mismatched, 0u);
  rig.inject(1, late);
  EXPECT_EQ(rig.end(1).statistics().numbers_mismatched, 1u);
  EXPECT_EQ(rig.end(1).statistics().datagrams_ignored, 1u);
  const StreamId next = rig.start(0, 100'000);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, next).ended; }, 5s));
  EXPECT_FALSE(rig.talk(1, next).corrupt);
}

TEST(NullCipher, RefusesAPacketUnderAnotherNumber) {
  quic::PacketNotes notes;
  const ngtcp2_crypto_aead_ctx key = quic::noting_key(notes);
  const Array<5> plain{1, 2, 3, 4, 5};
  Array<12> nonce{0, 0, 0, 0, 0, 0, 0, 0, 9, 8, 7, 6};
  Array<5 + quic::kOverhead> sealed{};
  ASSERT_EQ(quic::encrypt(sealed.data(), nullptr, &key, plain.data(), plain.size(), nonce.data(),
                          nonce.size(), nullptr, 0),
            0);
  const Array<5 + quic::kOverhead> expected{1, 2, 3, 4, 5, 9, 8, 7, 6};
  EXPECT_EQ(sealed, expected);
  Array<5> opened{};
  const auto open = [&](std::size_t size) {
    return quic::decrypt(opened.data(), nullptr, &key, sealed.data(), size, nonce.data(),
                         nonce.size(), nullptr, 0);
  };
  EXPECT_EQ(open(sealed.size()), 0);
  EXPECT_EQ(opened, plain);
  EXPECT_EQ(open(quic::kOverhead - 1), NGTCP2_ERR_DECRYPT);
  nonce[11] ^= 1;
  EXPECT_EQ(open(sealed.size()), NGTCP2_ERR_DECRYPT);
  EXPECT_EQ(notes.opened, 1u);
  EXPECT_EQ(notes.mismatched, 2u);
}

TEST(NullCipher, ReadsAPacketsFramesCutAnywhere) {
  const std::vector<std::uint8_t> packet{
      0x02, 9,    0,    1, 1, 1, 1,   // ACK with a second range
      0x10, 0x40, 0x80,               // MAX_DATA
      0x05, 12,   7,                  // STOP_SENDING of 12
      0x0e, 4,    7,    3, 1, 2, 3,   // STREAM 4 with offset and length 3
      0x08, 8,    1,    2, 3, 4, 5};  // STREAM 8 to the end
  EXPECT_EQ(quic::stream_bytes(packet), 3u + 5u);
  for (std::size_t size = 0; size < packet.size(); ++size) {
    EXPECT_LE(quic::stream_bytes(Bytes(packet).first(size)), 8u);
  }
}

}  // namespace
}  // namespace wormhole::stream_test
