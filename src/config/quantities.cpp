#include "config/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "config/key_path.hpp"

namespace wormhole {
namespace {

/// A unit and what it is worth.
using Unit = std::pair<std::string_view, double>;

constexpr std::array<Unit, 3> kTimes{{{"us", 1}, {"ms", 1e3}, {"s", 1e6}}};
constexpr std::array<Unit, 6> kRates{
    {{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"k", 1e3}, {"m", 1e6}, {"g", 1e9}}};

/// A decimal number that is not negative, and what follows it.
std::optional<std::pair<double, std::string_view>> split(std::string_view text) {
  const bool digit_first = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digit_first) return std::nullopt;  // no sign, "inf" or "nan"
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  return std::pair(number, std::string_view(rest, static_cast<std::size_t>(end - rest)));
}

template <std::size_t N>
std::optional<double> parse_with_unit(const std::string& text, const std::array<Unit, N>& units) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  std::string unit(parts->second);
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const auto& [name, worth] : units) {
    if (unit == name) return parts->first * worth;
  }
  return std::nullopt;
}

template <typename Number>
std::optional<Number> read_number(const Value& value, Number least, Number most,
                                  ErrorList& errors) {
  const auto expected =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const auto text = read_text(value, expected, errors);
  if (!text) return std::nullopt;
  Number number{};
  const auto* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error == std::errc{} && rest == end && number >= least && number <= most) return number;
  add_error(errors, value, quoted(*text) + " is none; expected " + expected);
  return std::nullopt;
}

/// "60s" for messages.
std::string time_text(std::uint32_t us) {
  if (us % 1'000'000 == 0) return std::to_string(us / 1'000'000) + "s";
  return us % 1'000 == 0 ? std::to_string(us / 1'000) + "ms" : std::to_string(us) + "us";
}

std::string rate_text(std::uint64_t rate) {
  for (const auto& [name, worth] : {Unit{"gbit", 1e9}, Unit{"mbit", 1e6}, Unit{"kbit", 1e3}}) {
    const auto unit = static_cast<std::uint64_t>(worth);
    if (rate % unit == 0) return std::to_string(rate / unit) + std::string(name);
  }
  return std::to_string(rate) + " bit/s";
}

}  // namespace

std::optional<std::uint64_t> read_whole(const Value& value, std::uint64_t least, std::uint64_t most,
                                        ErrorList& errors) {
  return read_number(value, least, most, errors);
}

std::optional<std::int64_t> read_signed(const Value& value, std::int64_t least, std::int64_t most,
                                        ErrorList& errors) {
  return read_number(value, least, most, errors);
}

std::optional<std::uint32_t> read_percent(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "a share like 0.5%, from 0% to 100%";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return std::nullopt;
  const auto parts = split(*text);
  if (parts && parts->second == "%" && parts->first <= 100) {
    return static_cast<std::uint32_t>(std::llround(parts->first / 100 * double{kWhole}));
  }
  add_error(errors, value, quoted(*text) + " is none; expected " + kExpected);
  return std::nullopt;
}

std::optional<std::uint32_t> read_microseconds(const Value& value, std::uint32_t least_us,
                                               std::uint32_t most_us, ErrorList& errors) {
  const auto expected =
      least_us == 0 ? "a time like 40ms, 1.5s or 800us, up to " + time_text(most_us)
                    : "a time like 40ms, from " + time_text(least_us) + " to " + time_text(most_us);
  const auto text = read_text(value, expected, errors);
  if (!text) return std::nullopt;
  const auto us = parse_with_unit(*text, kTimes);
  if (us && *us >= least_us && *us <= most_us) return static_cast<std::uint32_t>(std::llround(*us));
  add_error(errors, value, quoted(*text) + " is none; expected " + expected);
  return std::nullopt;
}

std::optional<std::uint64_t> read_bit_rate(const Value& value, std::uint64_t least,
                                           std::uint64_t most, ErrorList& errors) {
  const auto expected =
      "a rate like 10mbit or 512kbit, from " + rate_text(least) + " to " + rate_text(most);
  const auto text = read_text(value, expected, errors);
  if (!text) return std::nullopt;
  const auto rate = parse_with_unit(*text, kRates);
  if (rate && *rate >= static_cast<double>(least) && *rate <= static_cast<double>(most)) {
    return static_cast<std::uint64_t>(std::llround(*rate));
  }
  add_error(errors, value, quoted(*text) + " is none; expected " + expected);
  return std::nullopt;
}

}  // namespace wormhole
