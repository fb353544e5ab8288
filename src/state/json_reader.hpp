// Strict reading of our own JSON: what is missing, unknown or of a wrong type is a problem with its
// key path.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "wormhole/base/result.hpp"
#include "wormhole/crypto/keys.hpp"

namespace wormhole {

/// The first problem of a file; empty when there is none.
class JsonProblem {
 public:
  void add(const std::string& where, std::string_view what) {
    if (text_.empty()) text_ = where + " " + std::string(what);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// One object with its path. Getters return an empty value after adding a problem.
class JsonObject {
 public:
  JsonObject(const boost::json::value& value, std::string where, JsonProblem& problem);

  /// Refuses every key that is not in `keys`.
  void only(std::initializer_list<std::string_view> keys) const;
  bool has(std::string_view key) const { return object_.contains(key); }
  const boost::json::value& at(std::string_view key) const;
  std::string path(std::string_view key) const { return where_ + "." + std::string(key); }

  std::string text(std::string_view key) const;
  std::uint64_t number(std::string_view key, std::uint64_t most) const;
  PublicKey public_key(std::string_view key) const;
  SecretKey secret_key(std::string_view key) const;
  template <std::size_t N>
  std::array<std::uint8_t, N> bytes(std::string_view key) const {
    std::array<std::uint8_t, N> out{};
    read_bytes(key, out);
    return out;
  }
  JsonObject object(std::string_view key) const { return {at(key), path(key), problem_}; }
  const boost::json::array& array(std::string_view key) const;
  const boost::json::object& entries() const { return object_; }

 private:
  void read_bytes(std::string_view key, MutBytes out) const;

  const boost::json::object& object_;
  std::string where_;
  JsonProblem& problem_;
};

/// Parses one JSON text; the error says where it stops being one.
Result<boost::json::value> parse_json(const std::string& text);

/// What all readers say of a file that they refuse, which is then left as it is.
Error damaged(const std::string& path, const std::string& what, std::string_view way_out);

}  // namespace wormhole
