#include "rest_congestion.hpp"

#include <optional>

#include "problem.hpp"
#include "uri.hpp"
#include "wormhole/api/congestion.hpp"

namespace wormhole {
namespace {

struct Wish {
  std::string client;  ///< empty: all
  bool history = false;
};

std::optional<Wish> parse_wish(std::string_view text) {
  const auto query = parse_query(text);
  if (!query) return std::nullopt;
  Wish wish;
  for (const auto& [name, value] : *query) {
    if (name == "client" && is_valid_name(value)) {
      wish.client = value;
    } else if (name == "history" && (value == "0" || value == "1")) {
      wish.history = value == "1";
    } else {
      return std::nullopt;
    }
  }
  return wish;
}

std::size_t states_in(const std::vector<ClientLinks>& clients, bool history) {
  std::size_t states = 0;
  for (const auto& client : clients) {
    states += client.links.size();
    for (const auto& link : client.links) states += history ? link.samples : 0;
  }
  return states;
}

}  // namespace

HttpResponse get_congestion(
    const HttpRequest& request,
    const std::function<std::vector<ClientLinks>(const std::string& id, bool history)>& links,
    const std::function<bool(const std::string& id)>& known) {
  const auto wish = parse_wish(request.query);
  if (!wish) {
    return problem(400, "The query is not client=ID, history=1, or both.");
  }
  if (!wish->client.empty() && !known(wish->client)) {
    return problem(404, "There is no client " + as_quotable(wish->client) + " in routes.yaml.");
  }
  auto found = links ? links(wish->client, false) : std::vector<ClientLinks>{};
  const auto states = states_in(found, wish->history);
  if (states > kMostLinkStates) {
    return problem(400, "These are " + std::to_string(states) + " states, more than the " +
                            std::to_string(kMostLinkStates) +
                            " of one answer: name a client (?client=ID), or leave history=1 out.");
  }
  if (wish->history) found = links(wish->client, true);
  return {200, congestion_json(found, wish->history)};
}

}  // namespace wormhole
