// TCP ports and connections on the loopback, with a core that joins what dials with a target.
#include "shell/tcp_desk.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "shell/port_owner.hpp"
#include "shell/socket_address.hpp"

namespace wormhole {
namespace {

const IpAddress kHere = IpAddress::v4(127, 0, 0, 1);
const AppPort kPort{FlowNo{1}, ClientNo{}};

/// Joins each accepted connection with one to the target, through a buffer of 64 KiB each way.
class Joiner final : public TcpCore {
 public:
  explicit Joiner(boost::asio::io_context& io, Duration limit = 2s) : desk(io, *this, limit) {}

  std::optional<TcpNo> on_accepted(AppPort, const Endpoint&) override {
    if (refuses) return std::nullopt;
    const TcpNo dialler{++last_};
    const TcpNo server{++last_};
    other_[dialler] = server;
    other_[server] = dialler;
    commands_.emplace_back([=, this] { desk.execute(ConnectTarget{server, target}); });
    return dialler;
  }
  void on_port_lost(AppPort, const std::string& why) override { lost = why; }
  void on_connected(TcpNo link) override { open_[link] = open_[other_[link]] = true; }
  void on_failed(TcpNo link, const std::string& why) override {
    desk.forget(link);
    failed = why;
    reset(other_[link]);
  }
  MutBytes space(TcpNo link) override {
    auto& bytes = said_[link];
    if (bytes.size() + kPiece > kBuffer) {
      starved_[link] = true;
      return {};
    }
    return piece_;
  }
  void commit(TcpNo link, std::size_t size) override {
    auto& bytes = said_[link];
    bytes.insert(bytes.end(), piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(size));
    const auto to = other_[link];
    commands_.emplace_back([=, this] { desk.execute(TcpReadable{to}); });
  }
  Bytes readable(TcpNo link) override {
    if (!open_[link] || holds_back) return {};
    return said_[other_[link]];
  }
  void consume(TcpNo link, std::size_t size) override {
    const auto from = other_[link];
    auto& bytes = said_[from];
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (std::exchange(starved_[from], false)) {
      commands_.emplace_back([=, this] { desk.execute(TcpWritable{from}); });
    }
    finish_if_due(from);
  }
  void on_end(TcpNo link) override {
    ended_[link] = true;
    finish_if_due(link);
  }
  void on_reset(TcpNo link) override {
    desk.forget(link);
    ++resets;
    reset(other_[link]);
  }
  void settle() override {
    while (!commands_.empty()) {
      for (const auto& command : std::exchange(commands_, {})) command();
    }
  }
  /// The target's end can be written to.
  void go_on() {
    holds_back = false;
    for (const auto& [link, unused] : other_) desk.execute(TcpReadable{link});
    settle();
  }

  Endpoint target;
  bool refuses = false;
  bool holds_back = false;
  int resets = 0;
  std::string failed;
  std::string lost;
  TcpDesk desk;

 private:
  static constexpr std::size_t kPiece = 16 * 1024;
  static constexpr std::size_t kBuffer = 64 * 1024;

  void reset(TcpNo link) {
    commands_.emplace_back([=, this] { desk.execute(ResetTcp{link}); });
  }
  void finish_if_due(TcpNo from) {
    if (!ended_[from] || !said_[from].empty() || finished_[from]) return;
    finished_[from] = true;
    const auto to = other_[from];
    if (ended_[to] && finished_[to]) {
      commands_.emplace_back([=, this] {
        desk.execute(CloseTcp{to});
        desk.execute(CloseTcp{from});
      });
      return;
    }
    commands_.emplace_back([=, this] { desk.execute(FinishTcp{to}); });
  }

  std::vector<std::function<void()>> commands_;
  std::map<TcpNo, TcpNo> other_;
  std::map<TcpNo, std::vector<std::uint8_t>> said_;
  std::map<TcpNo, bool> open_, ended_, finished_, starved_;
  std::array<std::uint8_t, kPiece> piece_{};
  std::uint64_t last_ = 0;
};

FileDescriptor listening(Endpoint& at, int backlog = 16) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const SocketAddress address(at);
  EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0);
  EXPECT_EQ(::listen(fd.get(), backlog), 0);
  at = local_endpoint(fd.get());
  return fd;
}

FileDescriptor dial(const Endpoint& at) {
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const SocketAddress address(at);
  const int done = ::connect(fd.get(), address.data(), address.size());
  EXPECT_TRUE(done == 0 || errno == EINPROGRESS);
  return fd;
}

class TcpDeskTest : public testing::Test {
 protected:
  void SetUp() override {
    service_ = listening(core.target);
    // A port that nobody has: taken, and given back.
    { const auto taken = listening(at); }
    ASSERT_EQ(core.desk.open(kPort, "ssh", at), 0);
  }
  bool run_until(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > until) return false;
      if (io.stopped()) io.restart();  // it had nothing to wait for
      io.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  /// Both ends of one connection through the desk.
  std::pair<FileDescriptor, FileDescriptor> connect() {
    auto near = dial(at);
    FileDescriptor far;
    EXPECT_TRUE(run_until([&] {
      far = FileDescriptor(::accept4(service_.get(), nullptr, nullptr, SOCK_NONBLOCK));
      return far.is_open();
    }));
    return {std::move(near), std::move(far)};
  }
  /// recv() until something comes: bytes, 0 at the end, or -errno.
  int receive(const FileDescriptor& fd, std::vector<std::uint8_t>& to, std::size_t most = 65536) {
    std::vector<std::uint8_t> piece(most);
    int got = -EAGAIN;
    EXPECT_TRUE(run_until([&] {
      const auto size = ::recv(fd.get(), piece.data(), piece.size(), 0);
      got = size < 0 ? -errno : static_cast<int>(size);
      return got != -EAGAIN;
    }));
    if (got > 0) to.insert(to.end(), piece.begin(), piece.begin() + got);
    return got;
  }
  static void say(const FileDescriptor& fd, std::string_view text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }

  boost::asio::io_context io{1};
  Joiner core{io};
  Endpoint at{kHere, 0};
  FileDescriptor service_;

 public:
  TcpDeskTest() { core.target = {kHere, 0}; }
};

TEST_F(TcpDeskTest, MegabytesArriveByteForByteAtASlowReader) {
  auto [near, far] = connect();
  std::vector<std::uint8_t> sent(3'000'000);
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  std::vector<std::uint8_t> got;
  std::size_t out = 0;
  EXPECT_TRUE(run_until([&] {
    const auto size = ::send(near.get(), sent.data() + out, sent.size() - out, MSG_NOSIGNAL);
    if (size > 0) out += static_cast<std::size_t>(size);
    std::array<std::uint8_t, 5000> piece;
    const auto read = ::recv(far.get(), piece.data(), piece.size(), 0);
    if (read > 0) got.insert(got.end(), piece.begin(), piece.begin() + read);
    return got.size() == sent.size();
  }));
  EXPECT_EQ(got, sent);
}

TEST_F(TcpDeskTest, EitherEndMayFinishFirst) {
  for (const bool near_first : {true, false}) {
    auto ends = connect();
    auto& first = near_first ? ends.first : ends.second;
    auto& last = near_first ? ends.second : ends.first;
    say(first, "request");
    ::shutdown(first.get(), SHUT_WR);
    std::vector<std::uint8_t> got;
    while (receive(last, got) > 0) {
    }
    EXPECT_EQ(as_text(got), "request");
    say(last, "answer");
    ::shutdown(last.get(), SHUT_WR);
    got.clear();
    while (receive(first, got) > 0) {
    }
    EXPECT_EQ(as_text(got), "answer");
    EXPECT_TRUE(run_until([&] { return core.desk.links() == 0; }));
  }
}

TEST_F(TcpDeskTest, AResetGoesThroughInBothDirections) {
  for (const bool by_near : {true, false}) {
    auto ends = connect();
    say(ends.first, "x");
    std::vector<std::uint8_t> got;
    EXPECT_EQ(receive(ends.second, got), 1);
    reset_socket(std::move(by_near ? ends.first : ends.second));
    EXPECT_EQ(receive(by_near ? ends.second : ends.first, got), -ECONNRESET);
    EXPECT_TRUE(run_until([&] { return core.desk.links() == 0; }));
  }
}

TEST_F(TcpDeskTest, AResetIsNoticedWhileNothingIsRead) {
  auto [near, far] = connect();
  core.holds_back = true;
  const std::vector<std::uint8_t> much(200'000);
  std::size_t out = 0;
  EXPECT_TRUE(run_until([&] {
    const auto size = ::send(near.get(), much.data(), much.size(), MSG_NOSIGNAL);
    if (size > 0) out += static_cast<std::size_t>(size);
    return out > 1'000'000 || (size < 0 && out > 100'000);
  }));
  reset_socket(std::move(near));
  EXPECT_TRUE(run_until([&] { return core.resets == 1; }));
}

TEST_F(TcpDeskTest, WhatCameBeforeAResetIsRead) {
  auto [near, far] = connect();
  say(far, "unread");  // so that closing sends a reset
  EXPECT_TRUE(run_until([&] {
    std::uint8_t byte = 0;
    return ::recv(near.get(), &byte, 1, MSG_PEEK) == 1;
  }));
  say(near, "last words");
  near.reset();
  say(far, "more");  // for a socket that takes no more
  std::vector<std::uint8_t> got;
  EXPECT_GT(receive(far, got), 0);
  EXPECT_EQ(as_text(got), "last words");
  EXPECT_TRUE(run_until([&] { return core.desk.links() == 0; }));
}

TEST_F(TcpDeskTest, ARefusingTargetIsSaidAtOnce) {
  service_.reset();
  auto near = dial(at);
  std::vector<std::uint8_t> got;
  EXPECT_EQ(receive(near, got), -ECONNRESET);
  EXPECT_EQ(core.failed, "connection refused");
}

TEST_F(TcpDeskTest, WhomTheCoreRefusesIsReset) {
  core.refuses = true;
  auto near = dial(at);
  std::vector<std::uint8_t> got;
  EXPECT_EQ(receive(near, got), -ECONNRESET);
  EXPECT_EQ(core.desk.links(), 0U);
}

TEST_F(TcpDeskTest, APortInUseIsExplained) {
  Endpoint wildcard{IpAddress::v4(0, 0, 0, 0), 0};
  const auto other = listening(wildcard);
  const Endpoint wanted{kHere, wildcard.port};
  const int error = core.desk.open({FlowNo{2}, ClientNo{}}, "web", wanted);
  EXPECT_EQ(error, EADDRINUSE);
  const auto owner = who_has_port(Protocol::kTcp, wanted);
  ASSERT_TRUE(owner && owner->process);
  EXPECT_EQ(owner->process->pid, ::getpid());
  const auto text = explain_tcp_port(error, "web", wanted);
  EXPECT_NE(text.find("flow web on TCP 127.0.0.1:"), std::string::npos) << text;
  EXPECT_NE(text.find("bound to 0.0.0.0:"), std::string::npos) << text;
}

TEST_F(TcpDeskTest, APortCanBeOpenedAgainAtOnce) {
  auto [near, far] = connect();
  far.reset();
  std::vector<std::uint8_t> got;
  EXPECT_EQ(receive(near, got), 0);
  near.reset();  // second, so that the desk's end of it goes into TIME_WAIT
  EXPECT_TRUE(run_until([&] { return core.desk.links() == 0; }));
  core.desk.close(kPort);
  EXPECT_EQ(core.desk.open(kPort, "ssh", at), 0);
  auto again = connect();
  EXPECT_TRUE(again.second.is_open());
}

TEST_F(TcpDeskTest, ExhaustedDescriptorsCloseThePortWithAReason) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer opens a pipe to look at an object's type";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto near = dial(at);
  const int next = ::dup(near.get());
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_TRUE(run_until([&] { return !core.lost.empty(); }));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(core.lost.find("file descriptors are used up"), std::string::npos) << core.lost;
  EXPECT_EQ(core.desk.open(kPort, "ssh", at), 0);
  EXPECT_TRUE(connect().second.is_open());
}

TEST_F(TcpDeskTest, ClosesWithOpenConnections) {
  auto [near, far] = connect();
  core.desk.close();
  std::vector<std::uint8_t> got;
  EXPECT_EQ(receive(far, got), 0);
  io.poll();
}

TEST(TcpDeskLimit, ATargetThatDoesNotAnswerIsGivenUp) {
  boost::asio::io_context io{1};
  Joiner core{io, 100ms};
  // A full backlog answers nothing more.
  core.target = {kHere, 0};
  const auto deaf = listening(core.target, 0);
  std::vector<FileDescriptor> fill;
  for (int i = 0; i < 8; ++i) fill.push_back(dial(core.target));
  Endpoint at{kHere, 0};
  { const auto taken = listening(at); }
  ASSERT_EQ(core.desk.open(kPort, "ssh", at), 0);
  const auto near = dial(at);
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (core.failed.empty() && std::chrono::steady_clock::now() < until) {
    io.run_one_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(core.failed, "no answer within 100 ms");
}

}  // namespace
}  // namespace wormhole
