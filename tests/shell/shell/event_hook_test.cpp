#include "wormhole/shell/event_hook.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "shell/shell/loop.hpp"

namespace wormhole {
namespace {

using namespace std::chrono_literals;

/// No such process, or one that nobody has reaped yet.
bool is_gone(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return true;
  return line.substr(line.rfind(')') + 2, 1) == "Z";
}

class EventHookTest : public testing::Test {
 protected:
  ~EventHookTest() override { std::filesystem::remove_all(dir); }

  EventHook& run(const std::string& script, std::chrono::milliseconds patience = 5s) {
    hook = std::make_unique<EventHook>(loop.io, std::vector<std::string>{"/bin/sh", "-c", script},
                                       patience);
    return *hook;
  }
  bool ended(std::uint64_t runs) {
    return loop.run_until([&] { return hook->counts().runs == runs && !hook->is_running(); });
  }
  std::string text(const std::string& name) const {
    std::ifstream file(dir + '/' + name);
    std::stringstream out;
    out << file.rdbuf();
    return out.str();
  }
  /// The loop has nothing to wake it up meanwhile, so this does.
  bool comes_true(const std::function<bool()>& condition) {
    boost::asio::steady_timer tick(loop.io);
    std::function<void()> again = [&] {
      tick.expires_after(10ms);
      tick.async_wait([&](const boost::system::error_code& error) {
        if (!error) again();
      });
    };
    again();
    const bool held = loop.run_until(condition);
    tick.cancel();
    loop.turn();
    return held;
  }
  static std::string make_dir() {
    char name[] = "/tmp/wormhole-hook-XXXXXX";
    return ::mkdtemp(name);
  }

  std::string dir = make_dir();
  Loop loop;
  std::unique_ptr<EventHook> hook;
};

TEST_F(EventHookTest, RunsWithTheValuesInItsEnvironment) {
  ::setenv("WORMHOLE_STALE", "of somebody else", 1);
  run("echo $WORMHOLE_STATE $WORMHOLE_STALE > " + dir + "/out");
  hook->post("flow video", {"WORMHOLE_STATE=limit"});
  ASSERT_TRUE(ended(1));
  EXPECT_EQ(text("out"), "limit\n");
  EXPECT_EQ(hook->counts().failures, 0U);
  EXPECT_EQ(hook->outcome(), "exit 0");
  ::unsetenv("WORMHOLE_STALE");
}

TEST_F(EventHookTest, HasNoDescriptorOfOurs) {
  const int extra = ::fcntl(STDIN_FILENO, F_DUPFD, 100);  // would be inherited
  ASSERT_GE(extra, 100);
  const auto path = "/proc/$$/fd/" + std::to_string(extra);
  run("test -e " + path + " && echo there > " + dir + "/out || echo gone > " + dir + "/out");
  hook->post("x", {});
  ASSERT_TRUE(ended(1));
  EXPECT_EQ(text("out"), "gone\n");
  ::close(extra);
}

TEST_F(EventHookTest, OneAtATimeAndTheNewestOfEachSubjectWaits) {
  run("echo $WORMHOLE_N >> " + dir + "/out; sleep 0.1");
  hook->post("a", {"WORMHOLE_N=1"});  // runs
  for (int i = 2; i <= 40; ++i) hook->post("a", {"WORMHOLE_N=" + std::to_string(i)});
  hook->post("b", {"WORMHOLE_N=b"});
  ASSERT_TRUE(ended(3));
  EXPECT_EQ(text("out"), "1\n40\nb\n");
  EXPECT_EQ(hook->counts().skipped, 38U);
}

TEST_F(EventHookTest, SubjectsThatWaitAreBounded) {
  run("sleep 10");
  for (std::size_t i = 0; i < EventHook::kMostWaiting + 3; ++i) hook->post(std::to_string(i), {});
  EXPECT_EQ(hook->counts().skipped, 2U);  // one runs
}

TEST_F(EventHookTest, OneThatHangsIsKilledWithAllItHasStarted) {
  run("sleep 100 & echo $! > " + dir + "/out; wait", 200ms);
  hook->post("x", {});
  hook->post("y", {});
  ASSERT_TRUE(ended(2));
  EXPECT_EQ(hook->counts().kills, 2U);
  EXPECT_EQ(hook->counts().failures, 2U);
  const auto grandchild = std::stoi(text("out"));
  EXPECT_TRUE(comes_true([&] { return is_gone(grandchild); }));
}

TEST_F(EventHookTest, WhatItLeavesBehindEndsToo) {
  run("sleep 100 & echo $! > " + dir + "/out");
  hook->post("x", {});
  ASSERT_TRUE(ended(1));
  EXPECT_EQ(hook->outcome(), "exit 0");
  const auto left = std::stoi(text("out"));
  EXPECT_TRUE(comes_true([&] { return is_gone(left); }));
}

TEST_F(EventHookTest, FailuresAreCountedAndSaid) {
  run("exit 3");
  hook->post("x", {});
  ASSERT_TRUE(ended(1));
  EXPECT_EQ(hook->outcome(), "exit 3");
  run("kill -9 $$");
  hook->post("x", {});
  ASSERT_TRUE(ended(1));
  EXPECT_EQ(hook->outcome(), "ended by signal 9");
  EXPECT_EQ(hook->counts().failures, 1U);
  EXPECT_EQ(hook->counts().kills, 0U);
}

TEST_F(EventHookTest, OneThatCannotBeRunMakesWayForTheNext) {
  hook = std::make_unique<EventHook>(loop.io, std::vector<std::string>{dir + "/missing"});
  hook->post("x", {});
  hook->post("y", {});
  EXPECT_EQ(hook->counts().runs, 2U);
  EXPECT_EQ(hook->counts().failures, 2U);
  EXPECT_NE(hook->outcome().find("cannot be run: No such file"), std::string::npos);
}

TEST_F(EventHookTest, EndsWithItsOwner) {
  run("echo $$ > " + dir + "/tmp; mv " + dir + "/tmp " + dir + "/out; sleep 100");
  hook->post("x", {});
  ASSERT_TRUE(comes_true([&] { return !text("out").empty(); }));
  const auto child = std::stoi(text("out"));
  hook.reset();
  EXPECT_TRUE(is_gone(child));
}

TEST(SplitCommand, KnowsQuotesAndFindsTheProgram) {
  const auto words = split_command(R"(sh -c "echo \"a b\"" 'c\d' e\ f "")");
  ASSERT_TRUE(words) << words.error().message;
  EXPECT_EQ(words->front().front(), '/');
  EXPECT_EQ(std::vector<std::string>(words->begin() + 1, words->end()),
            (std::vector<std::string>{"-c", "echo \"a b\"", "c\\d", "e f", ""}));
}

TEST(SplitCommand, SaysWhatIsWrongWithACommand) {
  const auto error = [](const char* text) {
    const auto words = split_command(text);
    return words ? "none" : words.error().message;
  };
  EXPECT_NE(error("sh 'a").find("close the quotes"), std::string::npos);
  EXPECT_NE(error("sh a\\").find("backslash"), std::string::npos);
  EXPECT_NE(error("  ").find("is empty"), std::string::npos);
  EXPECT_NE(error("no-such-program-here").find("there is no program"), std::string::npos);
  EXPECT_NE(error("/etc/passwd").find("chmod +x"), std::string::npos);
}

}  // namespace
}  // namespace wormhole
