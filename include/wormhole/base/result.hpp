// Results without exceptions: for the environment and for hostile input.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace wormhole {

/// Why something that a person asked for could not be done: one sentence that names the thing, the
/// place and the way out. For packets, rooms use their own enums instead: nobody reads those.
struct Error {
  std::string message;
};

/// Required by Boost's result: value() without a value is our bug, and ends the process with the
/// text.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

template <typename T>
using Result = boost::system::result<T, Error>;

/// Ends the process with context; for broken invariants (our bugs), in release builds too.
[[noreturn]] void fail_invariant(const char* condition, const char* file, int line);

}  // namespace wormhole

/// Checks an invariant of ours. Never for input from outside.
#define WH_ASSERT(condition) \
  ((condition) ? void() : ::wormhole::fail_invariant(#condition, __FILE__, __LINE__))
