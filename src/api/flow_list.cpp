// The table of `wormhole flow list`.
#include <map>
#include <set>

#include "table_text.hpp"
#include "wormhole/api/status.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct FlowRow {
  std::string port = "-";
  std::string direction = "-";
  std::string may_join = "-";
  std::string may_leave = "-";
};

std::set<std::string> texts(const json::value& of, std::string_view name) {
  std::set<std::string> all;
  for (const json::value& item : array_of(of, name)) {
    if (item.is_string()) all.emplace(item.get_string());
  }
  return all;
}

/// Puts a side into its column: where the client stands it may leave.
void note_sides(const json::value& offer, FlowRow& row) {
  const auto joined = texts(offer, "joined");
  for (const auto& side : texts(offer, "sides")) {
    auto& column = joined.contains(side) ? row.may_leave : row.may_join;
    column = column == "-" ? side : column + ", " + side;
  }
}

}  // namespace

Result<std::string> render_flows(std::string_view text) {
  boost::system::error_code error;
  const json::value status = json::parse({text.data(), text.size()}, error);
  if (error || !status.is_object()) return Error{"the answer is not the status of a client"};
  std::map<std::string, FlowRow> rows;
  for (const json::value& flow : array_of(status, "flows")) {
    auto& one = rows[text_of(flow, "name")];
    one.port = port_text(flow);
    one.direction = text_of(flow, "direction");
  }
  for (const json::value& offer : array_of(status, "offers")) {
    auto& one = rows[text_of(offer, "flow")];
    one.port = port_text(offer);
    note_sides(offer, one);
  }
  std::string out = row(cell("FLOW", 16) + cell("PORT", 9) + cell("DIRECTION", 9) +
                        cell("MAY JOIN", 18) + "MAY LEAVE");
  for (const auto& [name, one] : rows) {
    out += row(cell(name, 16) + cell(one.port, 9) + cell(one.direction, 9) +
               cell(one.may_join, 18) + one.may_leave);
  }
  return {boost::system::in_place_value, std::move(out)};
}

}  // namespace wormhole
