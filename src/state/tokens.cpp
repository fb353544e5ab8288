#include "wormhole/state/tokens.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "state/json_reader.hpp"
#include "state/state_io.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

constexpr auto kTokensFile = "/tokens.json";
constexpr std::array<std::string_view, 3> kScopeNames{"read", "edit", "admin"};

std::array<std::uint8_t, 32> hash_of(std::string_view token) {
  std::array<std::uint8_t, 32> hash{};
  blake2b(hash, {}, {as_bytes(token)});
  return hash;
}

json::object to_json(const TokenRecord& token) {
  return {{"name", token.name},
          {"scope", std::string(scope_name(token.scope))},
          {"blake2b", base64url_encode(token.hash)},
          {"created_s", token.created_s}};
}

TokenRecord read_token(const json::value& value, std::size_t position, JsonProblem& problem) {
  const JsonObject object(value, "tokens[" + std::to_string(position) + "]", problem);
  object.only({"name", "scope", "blake2b", "created_s"});
  TokenRecord token{object.text("name"), TokenScope::kRead, object.bytes<32>("blake2b"),
                    object.number("created_s", std::uint64_t{1} << 62)};
  if (!is_valid_name(token.name)) problem.add(object.path("name"), "is not a name");
  const auto scope = scope_named(object.text("scope"));
  if (!scope) problem.add(object.path("scope"), "is not read, edit or admin");
  token.scope = scope.value_or(TokenScope::kRead);
  return token;
}

}  // namespace

std::string_view scope_name(TokenScope scope) {
  return kScopeNames.at(static_cast<std::size_t>(scope));
}

std::optional<TokenScope> scope_named(std::string_view name) {
  const auto found = std::find(kScopeNames.begin(), kScopeNames.end(), name);
  if (found == kScopeNames.end()) return std::nullopt;
  return static_cast<TokenScope>(found - kScopeNames.begin());
}

Result<std::string> TokenList::add(const std::string& name, TokenScope scope, std::uint64_t wall_s,
                                   Rng& rng) {
  const bool taken = std::any_of(records_.begin(), records_.end(),
                                 [&name](const TokenRecord& token) { return token.name == name; });
  if (taken) {
    return Error{"there is a token " + name +
                 " already: take another name, or remove it first with 'wormhole token remove " +
                 name + "'"};
  }
  if (records_.size() >= kMaxTokens) {
    return Error{"there are " + std::to_string(kMaxTokens) +
                 " tokens already: remove one that is not used any more"};
  }
  std::array<std::uint8_t, 32> random{};
  rng.fill(random);
  std::string token = std::string(kTokenPrefix) + base64url_encode(random);
  records_.push_back({name, scope, hash_of(token), wall_s});
  return {boost::system::in_place_value, std::move(token)};
}

Result<void> TokenList::remove(const std::string& name) {
  const auto removed =
      std::erase_if(records_, [&name](const TokenRecord& token) { return token.name == name; });
  if (removed != 0) return {};
  return Error{"there is no token " + name + "; 'wormhole token list' names all"};
}

const TokenRecord* TokenList::find(std::string_view token) const {
  const auto hash = hash_of(token);
  const TokenRecord* found = nullptr;
  for (const TokenRecord& record : records_) {
    if (equal_secret(record.hash, hash)) found = &record;
  }
  return found;
}

Result<TokenList> load_tokens(const std::string& state_dir) {
  constexpr auto kWayOut = "restore it from a backup, or remove it and add the tokens again";
  const std::string path = state_dir + kTokensFile;
  const auto text = read_state_file(path);
  if (!text) return text.error();
  TokenList tokens;
  if (!*text) return tokens;
  const auto value = parse_json(**text);
  if (!value) return damaged(path, value.error().message, kWayOut);
  JsonProblem problem;
  const JsonObject file(*value, "the file", problem);
  file.only({"tokens"});
  std::set<std::string> names;
  for (const json::value& entry : file.array("tokens")) {
    tokens.records_.push_back(read_token(entry, tokens.records_.size(), problem));
    const std::string& name = tokens.records_.back().name;
    if (!names.insert(name).second) problem.add(name, "comes twice");
  }
  if (names.size() > kMaxTokens) problem.add("tokens", "has too many entries");
  if (!problem.text().empty()) return damaged(path, problem.text(), kWayOut);
  return tokens;
}

Result<void> save_tokens(const std::string& state_dir, const TokenList& tokens) {
  json::array list;
  for (const TokenRecord& token : tokens.records()) list.push_back(to_json(token));
  return write_file_durably(state_dir + kTokensFile,
                            json::serialize(json::object{{"tokens", std::move(list)}}) + "\n");
}

Result<FileLock> lock_state_directory(const std::string& state_dir) {
  if (auto made = make_state_directory(state_dir); !made) return made.error();
  return FileLock::acquire(state_dir + "/lock");
}

}  // namespace wormhole
