// Impaired links in routes.yaml: profiles by name, and what flows and routes say of them.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "config/value_reader.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// A profile as it is shipped: config/impairment/NAME.yaml, compiled in.
struct ShippedProfile {
  std::string_view name;
  std::string_view text;
};
std::span<const ShippedProfile> shipped_profiles();

/// Profiles by name: those of the section `impairments`, and behind them those that are shipped.
class ImpairProfiles {
 public:
  using Profile = std::shared_ptr<const ImpairProfile>;

  /// `file`: the path of routes.yaml; files of tables are named relative to its folder.
  explicit ImpairProfiles(const std::string& file);

  /// The section `impairments`. A profile may build on those above it.
  void read_section(const Value& section, ErrorList& errors);
  /// `impair` of a flow or a route: a name, `none`, a profile, or one of these for each way.
  /// `has_back`: something goes the other way of `between`.
  Impairment read(const Value& value, bool has_back, ErrorList& errors) const;

 private:
  Profile read_way(const Value& value, ErrorList& errors) const;
  Profile find(const Value& name, ErrorList& errors) const;

  std::string folder_;
  std::map<std::string, Profile, std::less<>> own_;  // null: it has its error
};

/// One profile, a map; `base` is where it begins (`profile: NAME`). Nothing when there was an
/// error.
std::optional<ImpairProfile> read_profile(const MapReader& map, ImpairProfile base,
                                          const std::string& folder, ErrorList& errors);
/// Its keys.
std::span<const std::string_view> profile_keys();

/// A table in netem's format: whole numbers from -32768 to 32767 between blanks, comments behind #.
/// Read from `folder` or below it alone; what is in the file is in no message.
std::optional<JitterTable> read_table(const Value& value, const std::string& folder,
                                      ErrorList& errors);

}  // namespace wormhole
