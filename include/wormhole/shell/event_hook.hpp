// A program that is run at events, with the event in its environment.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/result.hpp"

namespace wormhole {

/// Splits a command as a shell would, with '…', "…" and \ but nothing else, and finds the program.
/// The error says what is wrong and how to write it.
Result<std::vector<std::string>> split_command(std::string_view command);

/// Runs the program for one event after the other, never two at a time; meanwhile the newest event
/// of each subject waits. It gets /dev/null, no other descriptor, and a process group of its own,
/// which ends with it, or is killed when its time is over. Nothing here waits for it.
class EventHook {
 public:
  /// A hook that informs somebody takes milliseconds; one that hangs must not gather others behind
  /// it for ever.
  static constexpr std::chrono::seconds kPatience{5};
  /// Subjects that may wait: links and flows of a client that is beyond all sense.
  static constexpr std::size_t kMostWaiting = 256;

  struct Counts {
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;  ///< could not be run, or ended in another way than with 0
    std::uint64_t kills = 0;
    std::uint64_t skipped = 0;  ///< events that were replaced by newer ones, or were too many
  };

  /// `arguments`: of split_command.
  EventHook(boost::asio::io_context& io, std::vector<std::string> arguments,
            std::chrono::milliseconds patience = kPatience);
  /// Kills what runs.
  ~EventHook();
  EventHook(const EventHook&) = delete;
  EventHook& operator=(const EventHook&) = delete;

  /// `variables`: "NAME=value", added to this process's environment.
  void post(const std::string& subject, std::vector<std::string> variables);

  bool is_running() const;
  const Counts& counts() const;
  /// Of the last run, in words: "exit 0", "killed after 5 s"; empty before it.
  const std::string& outcome() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wormhole
