#include "wormhole/shell/event_hook.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <deque>
#include <optional>
#include <system_error>
#include <utility>

namespace wormhole {
namespace {

/// What posix_spawn wants to know, and its end.
class SpawnOrder {
 public:
  SpawnOrder() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);  // one of its own
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // Not every library opens its sockets so that they close by themselves.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~SpawnOrder() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnOrder(const SpawnOrder&) = delete;
  SpawnOrder& operator=(const SpawnOrder&) = delete;

  /// 0, or why not (errno).
  int spawn(pid_t& child, std::vector<std::string>& arguments,
            std::vector<std::string>& variables) const {
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (auto& text : texts) out.push_back(text.data());
      out.push_back(nullptr);
      return out;
    };
    auto argv = pointers(arguments);
    auto environment = pointers(variables);
    return ::posix_spawn(&child, arguments.front().c_str(), &actions_, &attributes_, argv.data(),
                         environment.data());
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

/// This process's environment without variables of ours, and `added`.
std::vector<std::string> environment_with(std::vector<std::string> added) {
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable(*at);
    if (!variable.starts_with("WORMHOLE_")) added.emplace_back(variable);
  }
  return added;
}

std::string error_text(int error) { return std::system_category().message(error); }

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

/// Where a shell would find it; nothing when it would not.
std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return is_program(name) ? std::optional(name) : std::nullopt;
  }
  const char* variable = ::getenv("PATH");
  std::string_view rest = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const std::string path = std::string(rest.substr(0, end)) + '/' + name;
    if (is_program(path)) return path;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

/// The words of a command; nothing when a quote or a backslash stands open.
std::optional<std::vector<std::string>> words_of(std::string_view command) {
  std::vector<std::string> words;
  char quote = 0;
  bool within = false;  // a word, which may be empty ("")
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == 0 && blank) {
      within = false;
      continue;
    }
    if (!std::exchange(within, true)) words.emplace_back();
    if (c == '\\' && quote != '\'') {
      if (++i == command.size()) return std::nullopt;
      words.back() += command[i];
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return words;
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view command) {
  auto words = words_of(command);
  if (!words) {
    return Error{"the command <" + std::string(command) +
                 "> ends within quotes or behind a backslash: close the quotes"};
  }
  if (words->empty() || words->front().empty()) {
    return Error{"the command is empty: give a program and its arguments"};
  }
  const auto program = find_program(words->front());
  if (!program) {
    return Error{"there is no program " + words->front() +
                 " that may be run: give its whole path, or make it executable (chmod +x)"};
  }
  words->front() = *program;
  return {boost::system::in_place_value, *std::move(words)};
}

struct EventHook::Impl {
  struct Waiting {
    std::string subject;
    std::vector<std::string> variables;
  };

  Impl(boost::asio::io_context& context, std::vector<std::string> argv,
       std::chrono::milliseconds time)
      : io(context), arguments(std::move(argv)), patience(time), exited(io), late(io) {}

  void post(const std::string& subject, std::vector<std::string> variables);
  void run_next();
  bool start(std::vector<std::string> variables);
  void on_exit();
  void kill_group() const { ::kill(-child, SIGKILL); }
  siginfo_t reap();
  void note(std::string what, bool failed);

  boost::asio::io_context& io;
  std::vector<std::string> arguments;
  std::chrono::milliseconds patience;
  std::deque<Waiting> waiting;  // one of each subject, the oldest subject first
  pid_t child = 0;
  boost::asio::posix::stream_descriptor exited;  // the child's pidfd
  boost::asio::steady_timer late;
  bool killed = false;
  Counts counts;
  std::string outcome;
};

void EventHook::Impl::post(const std::string& subject, std::vector<std::string> variables) {
  const auto same = std::find_if(waiting.begin(), waiting.end(),
                                 [&](const Waiting& one) { return one.subject == subject; });
  if (same != waiting.end()) {
    ++counts.skipped;
    same->variables = std::move(variables);
  } else if (waiting.size() >= kMostWaiting) {
    ++counts.skipped;
  } else {
    waiting.push_back({subject, std::move(variables)});
  }
  run_next();
}

/// Each that can't be run is a failure, and makes way for the next.
void EventHook::Impl::run_next() {
  while (child == 0 && !waiting.empty()) {
    auto next = std::move(waiting.front());
    waiting.pop_front();
    ++counts.runs;
    if (start(std::move(next.variables))) return;
  }
}

bool EventHook::Impl::start(std::vector<std::string> variables) {
  auto environment = environment_with(std::move(variables));
  static const SpawnOrder order;
  if (const int error = order.spawn(child, arguments, environment); error != 0) {
    child = 0;
    note("cannot be run: " + error_text(error), true);
    return false;
  }
  // A child that is not reaped keeps its number, so this is it. The flag is set by the system.
  const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) {  // out of descriptors: nobody would hear of its end
    const int error = errno;
    kill_group();
    (void)reap();
    note("cannot be watched: " + error_text(error), true);
    return false;
  }
  exited.assign(handle);
  exited.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& aborted) {
                      if (!aborted) on_exit();
                    });
  killed = false;
  late.expires_after(patience);
  late.async_wait([this, running = child](const boost::system::error_code& aborted) {
    if (aborted || child != running) return;
    killed = true;
    kill_group();
  });
  return true;
}

void EventHook::Impl::on_exit() {
  late.cancel();
  // Not reaped yet, so the group's number is still its own: whatever it has left behind ends too.
  kill_group();
  const siginfo_t end = reap();
  boost::system::error_code ignored;
  exited.close(ignored);
  if (killed) {
    ++counts.kills;
    note("killed after " + std::to_string(patience.count() / 1000) + " s", true);
  } else if (end.si_code == CLD_EXITED) {
    note("exit " + std::to_string(end.si_status), end.si_status != 0);
  } else {
    note("ended by signal " + std::to_string(end.si_status), true);
  }
  run_next();
}

siginfo_t EventHook::Impl::reap() {
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED) < 0 && errno == EINTR) {
  }
  child = 0;
  return end;
}

/// Said once for each change: a hook may run, and fail, many times an hour.
void EventHook::Impl::note(std::string what, bool failed) {
  if (failed) ++counts.failures;
  if (what == outcome) return;
  const bool first_success = outcome.empty() && !failed;
  outcome = std::move(what);
  if (first_success) return;
  spdlog::log(failed ? spdlog::level::warn : spdlog::level::info, "the program {}: {}",
              arguments.front(), outcome);
}

EventHook::EventHook(boost::asio::io_context& io, std::vector<std::string> arguments,
                     std::chrono::milliseconds patience)
    : impl_(std::make_unique<Impl>(io, std::move(arguments), patience)) {}

EventHook::~EventHook() {
  if (impl_->child == 0) return;
  impl_->kill_group();
  (void)impl_->reap();
}

void EventHook::post(const std::string& subject, std::vector<std::string> variables) {
  impl_->post(subject, std::move(variables));
}

bool EventHook::is_running() const { return impl_->child != 0; }
const EventHook::Counts& EventHook::counts() const { return impl_->counts; }
const std::string& EventHook::outcome() const { return impl_->outcome; }

}  // namespace wormhole
