#include "config/impair_profiles.hpp"

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

#include "config/key_path.hpp"
#include "config/routes_tree.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/config/suggest.hpp"

namespace wormhole {
namespace {

using Profile = ImpairProfiles::Profile;

constexpr std::array<std::string_view, 2> kWays{"forward", "back"};
constexpr auto kExpected =
    "the name of a profile, none, a map of what befalls datagrams, or one of "
    "these for each of forward and back";

/// Read once; they are tested, so that an error in one is ours.
const std::map<std::string, Profile, std::less<>>& shipped() {
  static const auto all = [] {
    std::map<std::string, Profile, std::less<>> profiles;
    for (const auto& [name, text] : shipped_profiles()) {
      ErrorList errors{std::string(name)};
      const auto root = read_tree(text, errors);
      WH_ASSERT(root.has_value());
      auto profile = read_profile(MapReader({&*root, ""}, profile_keys(), errors), {}, "", errors);
      WH_ASSERT(profile && errors.empty());
      profile->name = name;
      profiles.emplace(name, std::make_shared<const ImpairProfile>(std::move(*profile)));
    }
    return profiles;
  }();
  return all;
}

}  // namespace

ImpairProfiles::ImpairProfiles(const std::string& file)
    : folder_(std::filesystem::path(file).parent_path().string()) {}

void ImpairProfiles::read_section(const Value& section, ErrorList& errors) {
  for (const auto& entry : named_values(section, "profile", errors)) {
    if (entry.name == "none") {
      errors.add(entry.key_place, entry.value.path, "means no profile; expected another name");
    }
    auto profile = read_way(entry.value, errors);
    if (profile && profile->name != entry.name) {
      auto named = *profile;
      named.name = entry.name;
      profile = std::make_shared<const ImpairProfile>(std::move(named));
    }
    own_.emplace(entry.name, std::move(profile));
  }
}

Profile ImpairProfiles::find(const Value& name, ErrorList& errors) const {
  const auto text = read_text(name, kExpected, errors);
  if (!text || *text == "none") return nullptr;
  if (const auto own = own_.find(*text); own != own_.end()) return own->second;
  if (const auto one = shipped().find(*text); one != shipped().end()) return one->second;
  std::vector<std::string_view> known{"none"};
  for (const auto& [known_name, profile] : own_) known.push_back(known_name);
  for (const auto& [known_name, profile] : shipped()) known.push_back(known_name);
  add_error(errors, name,
            "no profile " + wormhole::quoted(*text) + suggestion(*text, known) +
                "; expected one of " + one_of(known));
  return nullptr;
}

Profile ImpairProfiles::read_way(const Value& value, ErrorList& errors) const {
  if (value.is(YamlNode::Kind::kScalar)) return find(value, errors);
  if (!value.is(YamlNode::Kind::kMap)) {
    add_error(errors, value, what_it_is(*value.node) + "; expected " + kExpected);
    return nullptr;
  }
  const MapReader map(value, profile_keys(), errors);
  ImpairProfile base;
  if (const auto name = map.find("profile")) {
    const auto profile = find(*name, errors);
    if (profile) base = *profile;
  }
  auto profile = read_profile(map, std::move(base), folder_, errors);
  return profile ? std::make_shared<const ImpairProfile>(std::move(*profile)) : nullptr;
}

Impairment ImpairProfiles::read(const Value& value, bool has_back, ErrorList& errors) const {
  const auto has = [&](std::string_view key) {
    const auto& children = value.node->children;
    for (std::size_t i = 0; i < children.size(); i += 2) {
      if (children[i].text == key) return true;
    }
    return false;
  };
  if (!value.is(YamlNode::Kind::kMap) || (!has("forward") && !has("back"))) {
    const auto both = read_way(value, errors);
    return {both, has_back ? both : nullptr};
  }
  const MapReader map(value, kWays, errors);
  Impairment impairment;
  if (const auto way = map.find("forward")) impairment.forward = read_way(*way, errors);
  const auto back = map.find("back");
  if (back && !has_back) {
    add_error(errors, *back, "is where nothing goes; expected forward alone, or a between route");
  } else if (back) {
    impairment.back = read_way(*back, errors);
  }
  return impairment;
}

}  // namespace wormhole
