// How the program ends, for scripts and service units (docs/cli.md).
#pragma once

namespace wormhole {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,         ///< the environment: files, sockets, no answer
  kExitUsage = 2,          ///< the command line or the pasted code
  kExitConfiguration = 3,  ///< routes.yaml
  kExitRefused = 4,        ///< the server said no: a restart does not help
  kExitReplaced = 5        ///< a newer process with this ID and key took over
};

inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 ok; 1 failed (files, sockets, no answer); 2 wrong usage; 3 routes.yaml is\n"
    "invalid; 4 refused by the server; 5 replaced by a newer process with the same ID and key.";

}  // namespace wormhole
