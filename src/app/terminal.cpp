#include "terminal.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace wormhole {

namespace {

/// An invite code is below 1 KiB; mail quoting around it is forgiven.
constexpr std::size_t kMaxInput = std::size_t{16} << 10;
constexpr char kCtrlC = 0x03;

/// Hides what is typed until the end of its life. Ctrl-C must not kill us meanwhile, or the
/// terminal would stay mute: it comes in as a character that ends the line.
class HiddenInput {
 public:
  HiddenInput() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    hidden.c_cc[VEOL] = kCtrlC;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() { ::tcsetattr(STDIN_FILENO, TCSANOW, &before_); }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  termios before_{};
};

/// What one read gives (on a terminal: one line); empty at the end.
std::string read_some() {
  char piece[4096];
  ssize_t size = 0;
  do size = ::read(STDIN_FILENO, piece, sizeof piece);
  while (size < 0 && errno == EINTR);
  return size > 0 ? std::string(piece, static_cast<std::size_t>(size)) : std::string();
}

std::string read_pipe() {
  std::string text;
  while (text.size() <= kMaxInput) {
    const std::string piece = read_some();
    if (piece.empty()) break;
    text += piece;
  }
  return text;
}

std::string read_terminal(const std::string& prompt,
                          const std::function<bool(const std::string&)>& is_complete) {
  const HiddenInput hidden;
  std::fprintf(stderr, "%s", prompt.c_str());
  std::string text;
  while (text.size() <= kMaxInput) {
    const std::string line = read_some();
    if (line.find(kCtrlC) != line.npos) text.clear();
    if (line.empty() || line == "\n" || line.find(kCtrlC) != line.npos) break;
    text += line;
    if (is_complete(text)) break;
  }
  std::fprintf(stderr, "\n");
  return text;
}

}  // namespace

Result<std::string> read_secret(const std::string& prompt,
                                const std::function<bool(const std::string&)>& is_complete) {
  std::string text = ::isatty(STDIN_FILENO) != 0 ? read_terminal(prompt, is_complete) : read_pipe();
  if (text.empty()) return Error{"there was no code on standard input: nothing was done"};
  if (text.size() > kMaxInput) return Error{"the input is far too long to be an invite code"};
  return {boost::system::in_place_value, std::move(text)};
}

}  // namespace wormhole
