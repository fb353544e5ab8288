// Status as JSON for programs and as a table for people.
#pragma once

#include <string>
#include <string_view>

#include "wormhole/base/result.hpp"
#include "wormhole/client/status.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

/// One line of JSON; docs/cli.md names every member. Numbers that are not known are null; times are
/// in milliseconds with three decimals (`_ms`) or whole seconds (`_s`), rates in bits a second.
std::string status_json(const ClientStatus& status);
std::string status_json(const ServerStatus& status);
std::string status_json(const ServerStatus::ClientRow& row);

/// The member `nat` of a client's status after a check that was asked for, and what stands in its
/// way: `problem` in a word for programs and `detail` in a sentence for people, or null.
std::string netcheck_json(const NatCheckReport& report);
/// The same in lines for people; the error says why nothing is known.
Result<std::string> render_nat(std::string_view json);

/// A client's status JSON as a table of 80 columns, with a new line at its end. Members that are
/// missing (an older client) show as "-". The error says that the text is not such JSON.
Result<std::string> render_status(std::string_view json);
/// The same JSON as the table of flows: those it is in, and those that it may join.
Result<std::string> render_flows(std::string_view json);

}  // namespace wormhole
