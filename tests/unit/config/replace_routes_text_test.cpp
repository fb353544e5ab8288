#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include "unit/config/temporary_directory.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {
namespace {

using test::contents;
using test::mode_of;
using test::overwrite;
using test::TemporaryDirectory;
using Why = EditRefusal::Why;

/// What else is in the directory than `name`.
std::size_t others_in(const TemporaryDirectory& dir, const std::string& name) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    count += entry.path().filename() == name ? 0 : 1;
  }
  return count;
}

std::string refused(const std::string& path, const std::string& before, Why why) {
  const auto result = replace_routes_text(path, before, "after\n");
  if (result) return "not refused";
  EXPECT_EQ(result.error().why, why) << result.error().message;
  return result.error().message;
}

/// The rest of a test as a user whom permissions hold.
class NoRoot {
 public:
  NoRoot() : was_(::geteuid()) { EXPECT_EQ(was_ == 0 ? ::seteuid(kNobody) : 0, 0); }
  ~NoRoot() { EXPECT_EQ(was_ == 0 ? ::seteuid(0) : 0, 0); }
  NoRoot(const NoRoot&) = delete;
  NoRoot& operator=(const NoRoot&) = delete;
  static constexpr uid_t kNobody = 65534;

 private:
  uid_t was_;
};

TEST(ReplaceRoutesText, ReplacesAndKeepsTheMode) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  ASSERT_TRUE(replace_routes_text(path, "before\n", "after\n").has_value());
  EXPECT_EQ(contents(path), "after\n");
  EXPECT_EQ(mode_of(path), 0640U);
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReplaceRoutesText, KeepsTheOwnerOrRefuses) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path.c_str(), 12345, 54321), 0);
    ASSERT_TRUE(replace_routes_text(path, "before\n", "before\n").has_value());
  }
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, ::geteuid() == 0 ? 12345U : ::geteuid());
  if (::geteuid() != 0) return;  // only root can make a file of somebody else
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  const NoRoot no_root;
  EXPECT_EQ(refused(path, "before\n", Why::kStorage),
            path +
                " belongs to another user or group, which this user can't give to the edited file; "
                "expected the server's own file");
  EXPECT_EQ(contents(path), "before\n");
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReplaceRoutesText, GoesThroughSymbolicLinks) {
  const TemporaryDirectory dir;
  const TemporaryDirectory real;
  overwrite(real.file("real.yaml"), "before\n");
  std::filesystem::create_symlink(real.file("real.yaml"), dir.file("second"));
  std::filesystem::create_symlink("second", dir.file("routes.yaml"));
  ASSERT_TRUE(replace_routes_text(dir.file("routes.yaml"), "before\n", "after\n").has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(dir.file("routes.yaml")));
  EXPECT_TRUE(std::filesystem::is_symlink(dir.file("second")));
  EXPECT_EQ(contents(real.file("real.yaml")), "after\n");
  EXPECT_EQ(others_in(real, "real.yaml"), 0U);
}

TEST(ReplaceRoutesText, RefusesAnotherText) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "edited\n");
  EXPECT_EQ(refused(path, "before\n", Why::kConflict),
            path +
                " was changed meanwhile by somebody else; expected the edit again, on what the "
                "file says now");
  EXPECT_EQ(contents(path), "edited\n");
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReplaceRoutesText, RefusesAFileThatSomebodyIsWriting) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  const int fd = ::open(path.c_str(), O_WRONLY);
  EXPECT_NE(refused(path, "before\n", Why::kConflict), "");
  EXPECT_EQ(::write(fd, "edited", 6), 6);
  ::close(fd);
  EXPECT_EQ(contents(path), "edited\n");
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReplaceRoutesText, SaysWhatIsNotThere) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  const auto missing = "can't write " + path +
                       ": No such file or directory; expected the file that the server was "
                       "started with";
  EXPECT_EQ(refused(path, "before\n", Why::kStorage), missing);
  std::filesystem::create_symlink("nowhere", path);
  EXPECT_EQ(refused(path, "before\n", Why::kStorage), missing);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_EQ(refused(path, "before\n", Why::kStorage), path + " is no regular file; expected one");
}

/// Root may write to it all the same, and still doesn't.
TEST(ReplaceRoutesText, RefusesALockedFile) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  EXPECT_EQ(refused(path, "before\n", Why::kStorage),
            path +
                " is read-only (mode 0444), so that programs don't edit it; expected write "
                "permission for the server's user where they should");
  EXPECT_EQ(contents(path), "before\n");
  EXPECT_EQ(mode_of(path), 0444U);
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReplaceRoutesText, NeedsAWritableDirectory) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0555), 0);
  {
    const NoRoot no_root;
    EXPECT_EQ(refused(path, "before\n", Why::kStorage),
              "can't write " + path +
                  ": Permission denied; expected a file and a directory that this user may write "
                  "to");
  }
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  EXPECT_EQ(contents(path), "before\n");
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

/// The limit of a file's size fails a write in its middle, as a full disk does.
TEST(ReplaceRoutesText, LeavesTheFileWhenThereIsNoSpace) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  const std::string before(std::size_t{64} << 10, '#');
  overwrite(path, before);
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &usual), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{rlim_t{32} << 10, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto result = replace_routes_text(path, before, before + "#");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &usual), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().why, Why::kStorage);
  EXPECT_EQ(
      result.error().message,
      "can't write " + path + ": File too large; expected more free space on its file system");
  EXPECT_EQ(contents(path), before);
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

/// Saves as editors do, at about the moment of an edit by program: whoever comes first, what the
/// editor has written is there afterwards.
void race(void (*save)(const std::string& path, const std::string& text)) {
  constexpr int kRounds = 200;
  // Large enough that writing and comparing it takes a while.
  const std::string padding(std::size_t{128} << 10, '#');
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  for (int round = 0; round < kRounds; ++round) {
    const auto before = "before " + std::to_string(round) + padding;
    const auto edited = "edited " + std::to_string(round) + padding;
    overwrite(path, before);
    std::atomic<bool> done = false;
    std::thread editor([&] {
      // From the moment on that there is a new file beside the old one, each round a bit later.
      while (!done && others_in(dir, "routes.yaml") == 0) std::this_thread::yield();
      for (int i = 0; i < round && !done; ++i) others_in(dir, "routes.yaml");
      save(path, edited);
    });
    const auto result = replace_routes_text(path, before, "after\n" + padding);
    done = true;
    editor.join();
    ASSERT_EQ(contents(path), edited) << round;
    EXPECT_TRUE(result || result.error().why == Why::kConflict) << result.error().message;
    ASSERT_EQ(others_in(dir, "routes.yaml"), 0U) << round;
  }
}

TEST(ReplaceRoutesText, NeverOverwritesAnEditorThatRenames) {
  race([](const std::string& path, const std::string& text) {
    const auto own = path.substr(0, path.rfind('/')) + "/../editor-of-routes-yaml";
    overwrite(own, text);
    ASSERT_EQ(::rename(own.c_str(), path.c_str()), 0);
  });
}

TEST(ReplaceRoutesText, NeverOverwritesAnEditorThatWritesInPlace) {
  race([](const std::string& path, const std::string& text) { overwrite(path, text); });
}

/// The file's content says nothing of such an editor yet when it is exchanged.
TEST(ReplaceRoutesText, NeverOverwritesAnEditorThatOpensFirstAndWritesLater) {
  race([](const std::string& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(::ftruncate(fd, static_cast<off_t>(text.size())), 0);
    ::close(fd);
  });
}

/// Makes the kernel say that it can't exchange files, for the rest of this process.
void forbid_exchange() {
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[4])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RENAME_EXCHANGE, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog filter{program.size(), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    ::_exit(3);
  }
}

/// What replace_routes_text says on a file system without exchange: 0 for done, 1 for kConflict.
int replace_without_exchange(const std::string& path, const std::string& before) {
  const auto child = ::fork();
  if (child == 0) {
    forbid_exchange();
    const auto result = replace_routes_text(path, before, "after\n");
    ::_exit(result ? 0 : result.error().why == Why::kConflict ? 1 : 2);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ReplaceRoutesText, DoesWithoutExchange) {
  const TemporaryDirectory dir;
  const auto path = dir.file("routes.yaml");
  overwrite(path, "before\n");
  EXPECT_EQ(replace_without_exchange(path, "before\n"), 0);
  EXPECT_EQ(contents(path), "after\n");
  EXPECT_EQ(replace_without_exchange(path, "before\n"), 1);
  EXPECT_EQ(contents(path), "after\n");
  EXPECT_EQ(others_in(dir, "routes.yaml"), 0U);
}

TEST(ReadRoutesText, ReadsOrSaysWhy) {
  const TemporaryDirectory dir;
  overwrite(dir.file("a"), "text\n");
  EXPECT_EQ(std::get<std::string>(read_routes_text(dir.file("a"))), "text\n");
  EXPECT_EQ(std::get<ConfigError>(read_routes_text(dir.file("b"))).to_string(),
            dir.file("b") +
                ": can't be read: No such file or directory; expected a file that this user may "
                "read");
}

}  // namespace
}  // namespace wormhole
