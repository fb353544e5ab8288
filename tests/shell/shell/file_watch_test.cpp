#include "shell/file_watch.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "loop.hpp"

namespace wormhole {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    std::string pattern = fs::temp_directory_path() / "wormhole-watch-XXXXXX";
    dir = ::mkdtemp(pattern.data());
  }
  ~FileWatchTest() override { fs::remove_all(dir); }

  /// Watches `path`, does `change`, and says whether it was told.
  template <typename Change>
  bool is_told(const fs::path& path, Change change) {
    FileWatch watch(loop.io, path, [this] { ++told; });
    EXPECT_TRUE(watch.start());
    const auto before = told;
    change();
    return loop.run_until([&] { return told > before; });
  }

  Loop loop;
  fs::path dir;
  int told = 0;
};

TEST_F(FileWatchTest, SeesAWriteInPlace) {
  write(dir / "routes.yaml", "a");
  EXPECT_TRUE(is_told(dir / "routes.yaml", [&] { write(dir / "routes.yaml", "bb"); }));
}

TEST_F(FileWatchTest, SeesARenameOverTheFile) {
  write(dir / "routes.yaml", "a");
  EXPECT_TRUE(is_told(dir / "routes.yaml", [&] {
    write(dir / ".routes.yaml.swp", "b");
    fs::rename(dir / ".routes.yaml.swp", dir / "routes.yaml");
  }));
}

TEST_F(FileWatchTest, SeesTheSwapOfADirectoryLinkAndWhatComesAfter) {
  // As Kubernetes mounts a ConfigMap.
  for (const auto* version : {"v1", "v2"}) {
    fs::create_directory(dir / version);
    write(dir / version / "routes.yaml", version);
  }
  fs::create_directory_symlink("v1", dir / "..data");
  fs::create_symlink("..data/routes.yaml", dir / "routes.yaml");
  FileWatch watch(loop.io, dir / "routes.yaml", [this] { ++told; });
  ASSERT_TRUE(watch.start());
  fs::create_directory_symlink("v2", dir / "..data_tmp");
  fs::rename(dir / "..data_tmp", dir / "..data");
  ASSERT_TRUE(loop.run_until([&] { return told == 1; }));
  write(dir / "v2" / "routes.yaml", "edited where the link leads now");
  EXPECT_TRUE(loop.run_until([&] { return told == 2; }));
}

TEST_F(FileWatchTest, SeesALinkMadeAnew) {
  write(dir / "one.yaml", "a");
  write(dir / "two.yaml", "b");
  fs::create_symlink("one.yaml", dir / "routes.yaml");
  EXPECT_TRUE(is_told(dir / "routes.yaml", [&] {
    fs::remove(dir / "routes.yaml");
    fs::create_symlink("two.yaml", dir / "routes.yaml");
  }));
}

TEST_F(FileWatchTest, TellsOnceOfManyStepsAndNotOfNeighbours) {
  write(dir / "routes.yaml", "a");
  FileWatch watch(loop.io, dir / "routes.yaml", [this] { ++told; });
  ASSERT_TRUE(watch.start());
  for (int i = 0; i < 20; ++i) {
    write(dir / "routes.yaml", std::string(static_cast<std::size_t>(i + 2), 'x'));
    write(dir / "other.log", "noise");
    loop.turn();
  }
  ASSERT_TRUE(loop.run_until([&] { return told > 0; }));
  // Neighbours saved again and again neither tell nor keep the next saving waiting.
  for (int i = 0; i < 20; ++i) {
    write(dir / "other.log", "noise");
    loop.turn();
  }
  write(dir / "routes.yaml", "last");
  ASSERT_TRUE(loop.run_until([&] {
    write(dir / "other.log", "noise");
    return told > 1;
  }));
  EXPECT_EQ(told, 2);
}

TEST_F(FileWatchTest, ClosedItTellsNothing) {
  write(dir / "routes.yaml", "a");
  FileWatch watch(loop.io, dir / "routes.yaml", [this] { ++told; });
  ASSERT_TRUE(watch.start());
  write(dir / "routes.yaml", "bb");
  loop.turn();  // seen, and waiting for quiet
  watch.close();
  loop.io.restart();
  loop.io.run();  // nothing is left to wait for
  EXPECT_EQ(told, 0);
}

TEST_F(FileWatchTest, NamesADirectoryThatIsNotThere) {
  FileWatch watch(loop.io, dir / "missing" / "routes.yaml", [] {});
  const auto started = watch.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find((dir / "missing").string()), std::string::npos);
}

}  // namespace
}  // namespace wormhole
