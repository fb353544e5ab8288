# config/impairment/*.yaml as strings in wh_config, so that the profiles' names work wherever a server runs.
file(GLOB profiles CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/config/impairment/*.yaml)
set(entries "")
foreach(profile ${profiles})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${profile})
  get_filename_component(name ${profile} NAME_WE)
  file(READ ${profile} text)
  string(APPEND entries "    {\"${name}\", R\"yaml(${text})yaml\"},\n")
endforeach()
list(LENGTH profiles count)
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/shipped_profiles.cpp @ONLY CONTENT [[
// Made by cmake/ShippedProfiles.cmake of config/impairment.
#include <array>

#include "config/impair_profiles.hpp"

namespace wormhole {

std::span<const ShippedProfile> shipped_profiles() {
  static constexpr std::array<ShippedProfile, @count@> kProfiles{{
@entries@  }};
  return kProfiles;
}

}  // namespace wormhole
]])
target_sources(wh_config PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/shipped_profiles.cpp)
