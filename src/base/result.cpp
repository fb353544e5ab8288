#include "wormhole/base/result.hpp"

#include <cstdio>
#include <cstdlib>

namespace wormhole {

void throw_exception_from_error(const Error& error, const boost::source_location& at) {
  std::fprintf(stderr, "wormhole: internal error: value() of a failed result (%s) at %s:%u\n",
               error.message.c_str(), at.file_name(), static_cast<unsigned>(at.line()));
  std::abort();
}

void fail_invariant(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "wormhole: internal error: %s does not hold at %s:%d\n", condition, file,
               line);
  std::abort();
}

}  // namespace wormhole
