// "This file was saved."
#pragma once

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <optional>

#include "shell/readable.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// Watches one file with inotify(7), however it is saved: written in place, replaced by a rename
/// (editors), or reached through a symbolic link that is swapped (Kubernetes' "..data"). Calls back
/// once the file has been left alone for 50 ms.
class FileWatch {
 public:
  using OnSaved = std::function<void()>;

  FileWatch(boost::asio::io_context& io, std::filesystem::path path, OnSaved on_saved);

  /// The error names the directory, and the way out.
  Result<void> start();
  void close();

 private:
  /// What changes when a file is saved.
  struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    time_t seconds = 0;
    long nanoseconds = 0;
    bool operator==(const Version&) const = default;
  };

  bool add_watches();
  std::optional<Version> version() const;
  void on_events();
  bool matters(std::uint32_t mask, const char* name) const;
  void wait_until_quiet();

  boost::asio::io_context& io_;
  std::filesystem::path path_;
  std::filesystem::path directory_;
  OnSaved on_saved_;
  boost::asio::steady_timer quiet_;
  std::optional<Version> seen_;
  Readable inotify_;
};

}  // namespace wormhole
