set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Every target of ours links it; libraries' headers are system headers, so they don't warn.
add_library(wormhole_flags INTERFACE)
target_compile_options(wormhole_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                -Wswitch-enum -Werror)
# _FORTIFY_SOURCE, stack protector and relro as Debian builds its own packages.
if(CMAKE_BUILD_TYPE STREQUAL Release)
  target_compile_options(wormhole_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(wormhole_flags INTERFACE _FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
if(WORMHOLE_SANITIZE)
  add_compile_options(-fsanitize=${WORMHOLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WORMHOLE_SANITIZE})
  # clang 14 can't place this check's data in front of a coroutine ("difference across sections").
  add_compile_options($<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
find_library(ngtcp2_archive NAMES libngtcp2.a REQUIRED)  # its API differs between Debians: not shared
find_package(yaml-cpp REQUIRED)
if(NOT TARGET yaml-cpp::yaml-cpp)  # yaml-cpp 0.7 exports the bare name
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
