// tokens.json in the server's state directory: who may use the REST API, and for what.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/result.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

/// Each scope includes those before it.
enum class TokenScope : std::uint8_t {
  kRead,  ///< GET
  kEdit,  ///< everything that changes routes.yaml
  kAdmin  ///< everything
};
/// "read", "edit", "admin".
std::string_view scope_name(TokenScope scope);
std::optional<TokenScope> scope_named(std::string_view name);

/// What is kept of a token: enough to know it again, not enough to make it.
struct TokenRecord {
  std::string name;
  TokenScope scope = TokenScope::kRead;
  std::array<std::uint8_t, 32> hash{};  ///< BLAKE2b-256 of the whole token text
  std::uint64_t created_s = 0;          ///< Unix seconds
  bool operator==(const TokenRecord&) const = default;
};

/// A token is this and 32 random bytes in base64url: scanners of repositories know secrets by their
/// prefix.
inline constexpr std::string_view kTokenPrefix = "wht1_";
/// Each request without a valid token compares with all of them: 256 take 10 µs.
inline constexpr std::size_t kMaxTokens = 256;

/// All tokens, as a value.
class TokenList {
 public:
  /// A new token, which nobody can see again. An error when the name is taken or the list is full.
  Result<std::string> add(const std::string& name, TokenScope scope, std::uint64_t wall_s,
                          Rng& rng);
  /// An error when there is none of this name.
  Result<void> remove(const std::string& name);
  /// The token's record. Takes the same time whether it is there or not, and whichever it is.
  const TokenRecord* find(std::string_view token) const;
  const std::vector<TokenRecord>& records() const { return records_; }  ///< as they were added
  bool empty() const { return records_.empty(); }

 private:
  friend Result<TokenList> load_tokens(const std::string& state_dir);
  std::vector<TokenRecord> records_;
};

/// Reads STATE_DIR/tokens.json; without that file nobody has a token. A damaged file is an error,
/// because taking it for empty would open the API.
Result<TokenList> load_tokens(const std::string& state_dir);
/// Writes it durably. Only for who holds the directory's lock.
Result<void> save_tokens(const std::string& state_dir, const TokenList& tokens);

/// Makes the server's state directory where it is missing and takes its lock, for a change while no
/// server runs. The error names the process that has it.
Result<FileLock> lock_state_directory(const std::string& state_dir);

}  // namespace wormhole
