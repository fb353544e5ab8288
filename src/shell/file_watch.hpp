// "Tell me when this file has been saved", however it was saved.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <set>
#include <string>

#include "shell/readable.hpp"

namespace wormhole {

/// Watches the directories of a file and of every link on the way to it (inotify(7)): in-place
/// writes, renames over it, editors' swap files, symlink swaps. Calls back once it has been quiet
/// for kSettle and the file looks different.
class FileWatch {
 public:
  /// Editors write in several steps within milliseconds; half-written files are seldom older than
  /// this.
  static constexpr std::chrono::milliseconds kSettle{100};

  FileWatch(boost::asio::io_context& io, std::string path, std::function<void()> on_saved);
  /// False when the system gave no watch (its limit is used up); then only explicit reloads work.
  bool is_watching() const { return readable_.is_open(); }

 private:
  void watch_directories();
  void on_events();
  std::string signature() const;

  std::string path_;
  std::function<void()> on_saved_;
  Readable readable_;
  boost::asio::steady_timer settle_;
  std::set<std::string> watched_;
  std::string seen_;
};

}  // namespace wormhole
