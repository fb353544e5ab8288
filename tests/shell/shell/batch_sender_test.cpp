#include "shell/batch_sender.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "loop.hpp"
#include "shell/file_descriptor.hpp"
#include "shell/udp_socket.hpp"

namespace wormhole {
namespace {

const Endpoint kLoopback{IpAddress::v4(127, 0, 0, 1), 0};
const Endpoint kLoopback6{*IpAddress::parse("::1"), 0};

struct Datagram {
  Endpoint from;
  std::string bytes;
};

/// How many datagrams each system call's message carried, as the fakes below saw them.
std::vector<std::size_t> g_messages;
int g_error = 0;             // what the fakes fail with
std::size_t g_failures = 0;  // how often they still do

bool is_run(const mmsghdr& message) { return message.msg_hdr.msg_controllen > 0; }

int watch(int fd, mmsghdr* messages, unsigned count, int flags) {
  const int sent = ::sendmmsg(fd, messages, count, flags);
  for (int i = 0; i < sent; ++i) g_messages.push_back(messages[i].msg_hdr.msg_iovlen);
  return sent;
}

/// A device without checksum offload, or with a smaller MTU: refuses runs.
int refuse_runs(int fd, mmsghdr* messages, unsigned count, int flags) {
  unsigned plain = 0;
  while (plain < count && !is_run(messages[plain])) ++plain;
  if (plain > 0) return watch(fd, messages, plain, flags);
  errno = g_error;
  return -1;
}

/// Fails as often as told, then works.
int fail(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (g_failures == 0) return watch(fd, messages, count, flags);
  --g_failures;
  errno = g_error;
  return -1;
}

class BatchSenderTest : public testing::Test {
 protected:
  void SetUp() override {
    g_messages.clear();
    g_error = 0;
    g_failures = 0;
  }

  UdpSocket open(const Endpoint& at, std::vector<Datagram>* into = nullptr) {
    auto socket =
        UdpSocket::open(loop.io, at, receiver, [into](std::span<const NetDatagram> batch) {
          if (into == nullptr) return;
          for (const auto& d : batch) {
            into->push_back({d.from, std::string(as_text(Bytes(d.bytes)))});
          }
        });
    EXPECT_TRUE(socket);
    return std::move(*socket);
  }

  void add_all(BatchSender& sender, UdpSocket& from, const Endpoint& to,
               const std::vector<std::string>& texts) {
    for (const auto& text : texts) sender.add(from.sender(), to, as_bytes(text));
  }

  Loop loop;
  NetReceiver receiver;
};

std::vector<std::string> numbered(std::size_t count, std::size_t size) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = std::to_string(1000 + i);
    texts.emplace_back(size, 'x');
    std::copy(number.begin(), number.end(), texts.back().begin());
  }
  return texts;
}

std::vector<std::string> texts_of(const std::vector<Datagram>& datagrams) {
  std::vector<std::string> texts;
  for (const auto& d : datagrams) texts.push_back(d.bytes);
  return texts;
}

TEST_F(BatchSenderTest, CarriesMixedSizesInOrderOverBothFamilies) {
  for (const auto& at : {kLoopback, kLoopback6}) {
    std::vector<Datagram> got;
    auto to = open(at, &got);
    auto from = open(at);
    auto sent = numbered(100, 1200);
    sent.push_back(std::string(300, 'x'));  // ends a run
    sent.push_back(std::string(1200, 'y'));
    sent.push_back(std::string(65'507 - 20, 'z'));  // fragmented by nobody on loopback
    sent.push_back("1");
    BatchSender sender;
    add_all(sender, from, to.local(), sent);
    sender.flush();
    ASSERT_TRUE(loop.run_until([&] { return got.size() >= sent.size(); })) << got.size();
    EXPECT_EQ(texts_of(got), sent);
    EXPECT_EQ(got.front().from, from.local());
    EXPECT_EQ(from.sender().counters.sent, sent.size());
    EXPECT_TRUE(from.sender().counters.failed_by_errno.empty());
  }
}

TEST_F(BatchSenderTest, GathersRunsPerDestinationHoweverTheyAreInterleaved) {
  std::vector<Datagram> got[2];
  auto a = open(kLoopback, &got[0]);
  auto b = open(kLoopback, &got[1]);
  auto from = open(kLoopback);
  const auto sent = numbered(40, 1000);
  BatchSender sender(watch);
  for (const auto& text : sent) {
    sender.add(from.sender(), a.local(), as_bytes(text));
    sender.add(from.sender(), b.local(), as_bytes(text));
  }
  EXPECT_TRUE(g_messages.empty()) << "sent before flush";
  sender.flush();
  EXPECT_EQ(g_messages, (std::vector<std::size_t>{40, 40}));
  ASSERT_TRUE(loop.run_until([&] { return got[0].size() + got[1].size() == 2 * sent.size(); }));
  EXPECT_EQ(texts_of(got[0]), sent);
  EXPECT_EQ(texts_of(got[1]), sent);
}

TEST_F(BatchSenderTest, KeepsRunsWithinTheKernelsLimits) {
  auto to = open(kLoopback);
  auto from = open(kLoopback);
  BatchSender sender(watch);
  const auto small = numbered(130, 100);
  add_all(sender, from, to.local(), small);
  sender.flush();
  EXPECT_EQ(g_messages, (std::vector<std::size_t>{64, 64, 2}));
  g_messages.clear();
  const auto large = numbered(50, 1400);  // 70,000 bytes
  add_all(sender, from, to.local(), large);
  sender.flush();
  EXPECT_EQ(g_messages, (std::vector<std::size_t>{46, 4}));
  g_messages.clear();
  const std::vector<std::string> grows{
      std::string(10, 'a'), std::string(11, 'b'), "",
      std::string(11, 'c'), std::string(5, 'd'),  std::string(5, 'e')};
  add_all(sender, from, to.local(), grows);
  sender.flush();
  // A longer one begins a run, a shorter one ends it, an empty one is never part of one.
  EXPECT_EQ(g_messages, (std::vector<std::size_t>{1, 1, 1, 2, 1}));
}

TEST_F(BatchSenderTest, SendsToMoreDestinationsThanItsTablesHold) {
  std::vector<Datagram> got;
  std::vector<UdpSocket> to;
  for (std::size_t i = 0; i < BatchSender::kMaxMessages + 10; ++i) {
    to.push_back(open(kLoopback, &got));
  }
  auto from = open(kLoopback);
  BatchSender sender;
  for (auto& socket : to) sender.add(from.sender(), socket.local(), as_bytes("hello"));
  sender.flush();
  EXPECT_TRUE(loop.run_until([&] { return got.size() == to.size(); })) << got.size();
}

TEST_F(BatchSenderTest, SendsOneByOneForEverWhereTheDeviceHasNoSegmentation) {
  std::vector<Datagram> got;
  auto to = open(kLoopback, &got);
  auto from = open(kLoopback);
  BatchSender sender(refuse_runs);
  g_error = EIO;
  const auto sent = numbered(30, 500);
  add_all(sender, from, to.local(), sent);
  sender.flush();
  EXPECT_FALSE(from.sender().segmentation);
  add_all(sender, from, to.local(), sent);
  sender.flush();
  ASSERT_TRUE(loop.run_until([&] { return got.size() == 60; })) << got.size();
  auto twice = sent;
  twice.insert(twice.end(), sent.begin(), sent.end());
  EXPECT_EQ(texts_of(got), twice);
  EXPECT_EQ(from.sender().counters.sent, 60U);
  EXPECT_TRUE(from.sender().counters.failed_by_errno.empty());
}

TEST_F(BatchSenderTest, KeepsRunsOfShorterDatagramsWhereLongOnesExceedTheMtu) {
  std::vector<Datagram> got;
  auto to = open(kLoopback, &got);
  auto from = open(kLoopback);
  BatchSender refusing(refuse_runs);
  g_error = EINVAL;
  const auto sent = numbered(10, 1450);
  add_all(refusing, from, to.local(), sent);
  refusing.flush();
  ASSERT_TRUE(loop.run_until([&] { return got.size() == 10; }));
  EXPECT_EQ(texts_of(got), sent);
  g_messages.clear();
  BatchSender sender(watch);
  const auto longer = numbered(5, 1450);
  const auto shorter = numbered(5, 1200);
  add_all(sender, from, to.local(), longer);
  add_all(sender, from, to.local(), shorter);
  sender.flush();
  EXPECT_EQ(g_messages, (std::vector<std::size_t>{1, 1, 1, 1, 1, 5}));
}

TEST_F(BatchSenderTest, DropsAndCountsWhatAFullQueueDoesNotTake) {
  auto to = open(kLoopback);
  auto from = open(kLoopback);
  std::uint64_t dropped = 0;
  for (const int error : {EAGAIN, ENOBUFS}) {
    g_error = error;
    g_failures = 1;
    BatchSender sender(fail);
    const auto sent = numbered(70, 100);
    add_all(sender, from, to.local(), sent);
    sender.flush();
    dropped += 70;
    EXPECT_EQ(from.sender().counters.dropped_full, dropped);
    EXPECT_EQ(from.sender().counters.sent, 0U);
  }
}

/// Larger than the interface carries: refused and counted, and nothing is cut up.
TEST_F(BatchSenderTest, DatagramsAreNeverFragmented) {
  std::vector<Datagram> got;
  auto to = open(kLoopback6, &got);
  auto from = open(kLoopback6);
  BatchSender sender;
  const std::string too_large(65'520,
                              'x');  // 65,568 with its headers; the loopback's MTU is 65,536
  const std::vector<std::string> texts{too_large, "small"};  // the sender refers to them
  add_all(sender, from, to.local(), texts);
  sender.flush();
  ASSERT_TRUE(loop.run_until([&] { return !got.empty(); }));
  EXPECT_EQ(texts_of(got), std::vector<std::string>{"small"});
  EXPECT_EQ(from.sender().counters.failed_by_errno.at(EMSGSIZE), 1U);
  auto v4 = open(kLoopback);
  int rule = -1;
  socklen_t size = sizeof rule;
  ASSERT_EQ(::getsockopt(v4.sender().fd, IPPROTO_IP, IP_MTU_DISCOVER, &rule, &size), 0);
  EXPECT_EQ(rule, IP_PMTUDISC_PROBE);
}

TEST_F(BatchSenderTest, GoesOnBehindADestinationThatFails) {
  std::vector<Datagram> got;
  auto to = open(kLoopback, &got);
  auto from = open(kLoopback);
  // The kernel's own refusal (no SO_BROADCAST), twice: the first might be an earlier datagram's.
  const Endpoint nowhere{IpAddress::v4(255, 255, 255, 255), 9};
  BatchSender sender;
  sender.add(from.sender(), nowhere, as_bytes("lost"));
  sender.add(from.sender(), to.local(), as_bytes("found"));
  sender.flush();
  ASSERT_TRUE(loop.run_until([&] { return got.size() == 1; }));
  EXPECT_EQ(got[0].bytes, "found");
  EXPECT_EQ(from.sender().counters.failed_by_errno.at(EACCES), 1U);
}

TEST_F(BatchSenderTest, RepeatsADatagramThatMetAnEarlierOnesError) {
  std::vector<Datagram> got;
  auto to = open(kLoopback, &got);
  auto from = open(kLoopback);
  g_error = ECONNREFUSED;
  g_failures = 1;
  BatchSender sender(fail);
  sender.add(from.sender(), to.local(), as_bytes("second"));
  sender.flush();
  ASSERT_TRUE(loop.run_until([&] { return got.size() == 1; }));
  EXPECT_TRUE(from.sender().counters.failed_by_errno.empty());
}

TEST_F(BatchSenderTest, ASocketMayBeReplacedByItsOwnBatch) {
  std::vector<Datagram> later;
  std::size_t batches = 0;
  std::optional<UdpSocket> to;
  auto from = open(kLoopback);
  BatchSender sender;
  auto on_batch = [&](std::span<const NetDatagram>) {
    ++batches;
    to.reset();
    to.emplace(open(kLoopback, &later));  // gets the number that was just freed
    sender.add(from.sender(), to->local(), as_bytes("for the new one"));
    sender.flush();
  };
  to.emplace(std::move(*UdpSocket::open(loop.io, kLoopback, receiver, on_batch)));
  // Growing datagrams are joined by nobody: more than one batch.
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 100; ++i) texts.emplace_back(1 + i, 'x');
  add_all(sender, from, to->local(), texts);
  sender.flush();
  ASSERT_TRUE(loop.run_until([&] { return !later.empty(); }));
  EXPECT_EQ(batches, 1U);
  EXPECT_EQ(texts_of(later), std::vector<std::string>{"for the new one"});
}

}  // namespace
}  // namespace wormhole
