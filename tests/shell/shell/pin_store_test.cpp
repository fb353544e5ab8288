#include "shell/pin_store.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "loop.hpp"

namespace wormhole {
namespace {

PeerPin pin(std::uint8_t first) {
  PeerPin made;
  made.key.bytes[0] = first;
  return made;
}

TEST(PinStore, WritesTheNewestOfEachPeer) {
  Loop loop;
  std::vector<PinStore::Pins> written;  // by the worker, read here after it has gone
  {
    Worker worker(loop.io);
    PinStore store(loop.io, worker, {{"old", pin(1)}}, [&](const PinStore::Pins& pins) {
      written.push_back(pins);
      return Result<void>{};
    });
    store.remember("a", pin(2));
    store.remember("a", pin(3));
    store.remember("b", pin(4));
    // The first is written at once, the rest with one write behind it.
    std::size_t handlers = 0;
    ASSERT_TRUE(loop.run_until([&] { return ++handlers > 2; }));
  }
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].at("a"), pin(2));
  EXPECT_EQ(written[1], (PinStore::Pins{{"old", pin(1)}, {"a", pin(3)}, {"b", pin(4)}}));
}

TEST(PinStore, TriesAgainAfterAFailure) {
  Loop loop;
  std::atomic<int> calls = 0;
  Worker worker(loop.io);
  PinStore store(
      loop.io, worker, {},
      [&](const PinStore::Pins&) -> Result<void> {
        if (++calls < 3) return Error{"cannot write pins.json: No space left on device"};
        return {};
      },
      std::chrono::milliseconds(1));
  store.remember("a", pin(1));
  ASSERT_TRUE(loop.run_until([&] { return calls == 3; }));
}

TEST(PinStore, WhatIsRememberedLastIsWrittenBeforeTheEnd) {
  Loop loop;
  PinStore::Pins written;
  {
    Worker worker(loop.io);
    PinStore store(loop.io, worker, {}, [&](const PinStore::Pins& pins) {
      written = pins;
      return Result<void>{};
    });
    store.remember("a", pin(1));
    store.remember("b", pin(2));  // while the first write is under way
    store.close();
  }
  EXPECT_EQ(written.size(), 2U);
}

}  // namespace
}  // namespace wormhole
