// Tables of distributions in netem's format, from files beside routes.yaml.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "config/impair_profiles.hpp"
#include "config/key_path.hpp"
#include "wormhole/config/file_io.hpp"

namespace wormhole {
namespace {

/// The most values with seven characters each, and as much again for comments.
constexpr std::size_t kMostBytes = 2 * 7 * kMostTableValues;

/// A name out of which nobody gets further than the folder: programs may write it (REST).
bool stays_inside(const std::filesystem::path& path) {
  if (path.is_absolute()) return false;
  for (const auto& part : path) {
    if (part == "..") return false;
  }
  return true;
}

/// Nothing, with errno, when it is no file that can be read whole.
std::optional<std::string> read_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about {};
  if (file.get() < 0 || ::fstat(file.get(), &about) != 0) return std::nullopt;
  errno = S_ISREG(about.st_mode) ? EFBIG : EINVAL;  // a pipe would never end
  if (!S_ISREG(about.st_mode) || about.st_size > static_cast<off_t>(kMostBytes))
    return std::nullopt;
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto got = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

/// The values; nothing, and the line, when there is something else.
struct Parsed {
  std::vector<std::int16_t> values;
  std::size_t bad_line = 0;
};

Parsed parse(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  Parsed parsed;
  for (std::size_t line = 1; !text.empty(); ++line) {
    auto rest = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), rest.size() + 1));
    rest = rest.substr(0, rest.find('#'));
    while (true) {
      rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
      if (rest.empty()) break;
      const auto word = rest.substr(0, rest.find_first_of(kBlanks));
      std::int16_t value = 0;
      const auto* end = word.data() + word.size();
      const auto [stop, error] = std::from_chars(word.data(), end, value);
      if (error != std::errc{} || stop != end) return {{}, line};
      parsed.values.push_back(value);
      rest.remove_prefix(word.size());
    }
  }
  return parsed;
}

}  // namespace

std::optional<JitterTable> read_table(const Value& value, const std::string& folder,
                                      ErrorList& errors) {
  constexpr auto kExpected = "a file beside routes.yaml or in a folder there, like lte.dist";
  const auto name = read_text(value, kExpected, errors);
  if (!name) return std::nullopt;
  const auto refuse = [&](const std::string& why) {
    add_error(errors, value, wormhole::quoted(*name) + " " + why);
    return std::nullopt;
  };
  if (!stays_inside(*name) || name->find('\0') != std::string::npos) {
    return refuse(std::string("is elsewhere; expected ") + kExpected);
  }
  const auto path = (std::filesystem::path(folder) / *name).string();
  const auto text = read_file(path);
  if (!text) {
    return refuse(std::string("can't be read: ") + std::strerror(errno) + "; expected " +
                  kExpected);
  }
  auto parsed = parse(*text);
  if (parsed.bad_line != 0) {
    return refuse("has something else on its line " + std::to_string(parsed.bad_line) +
                  "; expected whole numbers from -32768 to 32767, as netem's tables have");
  }
  if (parsed.values.empty() || parsed.values.size() > kMostTableValues) {
    return refuse("has " + std::to_string(parsed.values.size()) + " values; expected 1 to " +
                  std::to_string(kMostTableValues));
  }
  return JitterTable{std::make_shared<const std::vector<std::int16_t>>(std::move(parsed.values))};
}

}  // namespace wormhole
