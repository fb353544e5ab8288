// JSON values as text that people can read too.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace wormhole {

/// One line. Unlike boost::json::serialize it writes 12.5 as 12.5 and not as 1.25E1.
std::string to_json_text(const boost::json::value& value);

}  // namespace wormhole
