// Numbers with units: what does not fit becomes an error with its place.
#pragma once

#include <cstdint>
#include <optional>

#include "config/value_reader.hpp"

namespace wormhole {

/// A whole decimal number, both ends included.
std::optional<std::uint64_t> read_whole(const Value& value, std::uint64_t least, std::uint64_t most,
                                        ErrorList& errors);
/// The same with a sign.
std::optional<std::int64_t> read_signed(const Value& value, std::int64_t least, std::int64_t most,
                                        ErrorList& errors);
/// "0.5%", from 0% to 100%, of 2^32 - 1.
std::optional<std::uint32_t> read_percent(const Value& value, ErrorList& errors);
/// "40ms", "1.5s" or "800us", in µs; both ends included.
std::optional<std::uint32_t> read_microseconds(const Value& value, std::uint32_t least_us,
                                               std::uint32_t most_us, ErrorList& errors);
/// "10mbit", "512kbit", "1gbit" or, shorter, "10M", "512k", "1G", in bits a second; both ends
/// included.
std::optional<std::uint64_t> read_bit_rate(const Value& value, std::uint64_t least,
                                           std::uint64_t most, ErrorList& errors);

}  // namespace wormhole
