// Who may do what over REST.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>

#include "wormhole/api/http_server.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/state/tokens.hpp"

namespace wormhole {

/// Counts wrong tokens by address: five a second, then the answer is 429 until that second is over.
/// A right token always passes: 256 random bits can't be guessed, and so nobody can lock out a
/// program that shares his address.
class LoginLimit {
 public:
  static constexpr std::uint32_t kPerSecond = 5;
  static constexpr std::size_t kMaxAddresses = 1024;  ///< 100 KB

  /// Notes a wrong token; true when the address has had its share. When the table is full of
  /// addresses of this second, a new one counts as one that has.
  bool exceeded(const IpAddress& from, TimePoint now);

 private:
  struct Window {
    TimePoint since;
    std::uint32_t count = 0;
  };
  std::map<IpAddress, Window> windows_;
};

/// Checks the token of a request.
class RestAccess {
 public:
  /// `open_without_tokens`: while there is no token, everybody who can reach the port may do
  /// everything.
  RestAccess(std::function<const TokenList&()> tokens, bool open_without_tokens)
      : tokens_(std::move(tokens)), open_(open_without_tokens) {}

  /// The answer to a request that may not be made; nothing when it may. Counted.
  std::optional<HttpResponse> refuse(const HttpRequest& request, TimePoint now);

  std::uint64_t unauthorized() const { return unauthorized_; }  ///< no token or a wrong one
  std::uint64_t throttled() const { return throttled_; }
  std::uint64_t forbidden() const { return forbidden_; }  ///< a token of too small a scope

 private:
  HttpResponse refuse_wrong_token(const HttpRequest& request, TimePoint now);

  std::function<const TokenList&()> tokens_;
  bool open_;
  LoginLimit limit_;
  std::uint64_t unauthorized_ = 0;
  std::uint64_t throttled_ = 0;
  std::uint64_t forbidden_ = 0;
};

}  // namespace wormhole
