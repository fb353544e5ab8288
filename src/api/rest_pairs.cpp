#include "rest_pairs.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

using Names = std::vector<std::string_view>;

bool holds(const Members& members, std::string_view id) {
  return std::binary_search(members.begin(), members.end(), id);
}

/// Calls `use` with each list of members that `id` sends to in the route.
template <typename Use>
void for_receivers(const Route& route, std::string_view id, Use use) {
  const bool in_first = holds(route.first, id);
  switch (route.kind) {
    case Route::Kind::kFromTo:
      if (in_first) use(route.second);
      return;
    case Route::Kind::kBetween:
      if (in_first) use(route.second);
      if (holds(route.second, id)) use(route.first);
      return;
    case Route::Kind::kMesh:
      if (in_first) use(route.first);
      return;
  }
}

void make_set(Names& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

/// Everyone who may send in the flow, sorted.
Names senders_of(const Flow& flow) {
  Names senders;
  for (const Route& route : flow.routes) {
    senders.insert(senders.end(), route.first.begin(), route.first.end());
    if (route.kind != Route::Kind::kBetween) continue;
    senders.insert(senders.end(), route.second.begin(), route.second.end());
  }
  make_set(senders);
  return senders;
}

bool sends(const Flow& flow, std::string_view from, std::string_view to) {
  bool found = false;
  for (const Route& route : flow.routes) {
    for_receivers(route, from, [&](const Members& members) { found |= holds(members, to); });
  }
  return found && from != to;
}

Names receivers_of(const Flow& flow, std::string_view from) {
  Names receivers;
  for (const Route& route : flow.routes) {
    for_receivers(route, from, [&](const Members& members) {
      receivers.insert(receivers.end(), members.begin(), members.end());
    });
  }
  make_set(receivers);
  std::erase(receivers, from);
  return receivers;
}

bool takes_part(const Flow& flow, std::string_view id) {
  return std::any_of(flow.routes.begin(), flow.routes.end(), [id](const Route& route) {
    return holds(route.first, id) || holds(route.second, id);
  });
}

/// Collects one page.
class Page {
 public:
  explicit Page(const PairQuery& query) : query_(query) {}

  void add(const Flow& flow) {
    const bool resumed = query_.after && query_.after->flow == flow.name;
    if (!query_.id.empty() && !takes_part(flow, query_.id)) return;
    for (const std::string_view from : senders_of(flow)) {
      if (resumed && from < query_.after->from) continue;
      const bool in_sender = resumed && from == query_.after->from;
      add_sender(flow, from, in_sender ? query_.after->to : std::string_view());
      if (more_) return;
    }
  }
  bool is_full() const { return more_; }
  json::object to_json() &&;

 private:
  void add_sender(const Flow& flow, std::string_view from, std::string_view behind) {
    if (!query_.id.empty() && from != query_.id) {
      if (query_.id > behind && sends(flow, from, query_.id)) add_pair(flow.name, from, query_.id);
      return;
    }
    const Names receivers = receivers_of(flow, from);
    auto to = std::upper_bound(receivers.begin(), receivers.end(), behind);
    for (; to != receivers.end() && !more_; ++to) add_pair(flow.name, from, *to);
  }
  void add_pair(std::string_view flow, std::string_view from, std::string_view to) {
    more_ = pairs_.size() == query_.limit;
    if (!more_) pairs_.push_back(json::object{{"flow", flow}, {"from", from}, {"to", to}});
  }
  std::string next() const;

  const PairQuery& query_;
  json::array pairs_;
  bool more_ = false;
};

std::string Page::next() const {
  const auto text = [this](const char* key) {
    return std::string(pairs_.back().at(key).as_string());
  };
  std::string address = "/v1/routes?limit=" + std::to_string(query_.limit);
  if (!query_.flow.empty()) address += "&flow=" + query_.flow;
  if (!query_.id.empty()) address += "&id=" + query_.id;
  return address + "&after=" + text("flow") + "," + text("from") + "," + text("to");
}

json::object Page::to_json() && {
  json::object page{{"more", more_}};
  if (more_) page["next"] = next();
  page["routes"] = std::move(pairs_);
  return page;
}

std::optional<RoutePair> parse_pair(std::string_view text) {
  const std::size_t first = std::min(text.find(','), text.size());
  const std::size_t second = std::min(text.find(',', first + 1), text.size());
  if (second == text.size()) return std::nullopt;
  RoutePair pair{std::string(text.substr(0, first)),
                 std::string(text.substr(first + 1, second - first - 1)),
                 std::string(text.substr(second + 1))};
  const bool good = is_valid_name(pair.flow) && is_valid_name(pair.from) && is_valid_name(pair.to);
  return good ? std::optional(std::move(pair)) : std::nullopt;
}

}  // namespace

Result<PairQuery> parse_pair_query(const Query& parameters) {
  PairQuery query;
  for (const auto& [name, value] : parameters) {
    if ((name == "flow" || name == "id") && is_valid_name(value)) {
      (name == "id" ? query.id : query.flow) = value;
    } else if (const auto pair = parse_pair(value); name == "after" && pair) {
      query.after = pair;
    } else if (const auto limit = parse_count(value);
               name == "limit" && limit && *limit >= 1 && *limit <= kMaxPairs) {
      query.limit = *limit;
    } else {
      return Error{"The query's " + as_quotable(name) +
                   " is not understood; expected flow=NAME, id=ID, limit=1…" +
                   std::to_string(kMaxPairs) + ", after=FLOW,FROM,TO."};
    }
  }
  return query;
}

Resource pairs(PairQuery query) {
  return [query = std::move(query)](const RoutesDocument& document) -> std::optional<std::string> {
    Page page(query);
    const auto& flows = document.network.flows;
    const auto named = [](const std::string& name) {
      return [&name](const Flow& flow) { return flow.name == name; };
    };
    auto flow = flows.begin();
    if (query.after) {
      flow = std::find_if(flows.begin(), flows.end(), named(query.after->flow));
      if (flow == flows.end()) return std::nullopt;
    }
    for (; flow != flows.end() && !page.is_full(); ++flow) {
      if (query.flow.empty() || flow->name == query.flow) page.add(*flow);
    }
    return json::serialize(std::move(page).to_json());
  };
}

}  // namespace wormhole
