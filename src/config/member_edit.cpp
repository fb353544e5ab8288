// A client joins a side of a flow, or leaves.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <vector>

#include "config/json_edit.hpp"
#include "config/key_path.hpp"
#include "config/population.hpp"
#include "wormhole/config/suggest.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using Why = EditRefusal::Why;

/// One side of one route: who selects it, and what it is called in the file.
struct Place {
  std::size_t route;
  Side side;
  json::value* selector;
  std::string path;
};

/// What of a selector means the ID: the ID itself, or the first group or pattern that does.
struct Reason {
  bool literal = false;
  std::string through;  ///< `group "ground"`, `pattern "drone*"`
  std::string group;    ///< its name, when it is one
};

class MemberEdit {
 public:
  MemberEdit(const RoutesDocument& before, const EditMember& edit)
      : before_(before), edit_(edit), root_(before.json) {}

  JsonEdit run() {
    auto refusal = find_flow();
    if (!refusal) refusal = check_id();
    if (!refusal) refusal = check_route();
    if (!refusal) refusal = edit_.join ? join() : leave();
    if (refusal) return std::move(*refusal);
    return std::move(root_);
  }

 private:
  using Refused = std::optional<EditRefusal>;

  Refused find_flow() {
    auto& flows = root_.get_object()["flows"].get_object();
    const auto found = flows.find(edit_.flow);
    if (found == flows.end()) return refuse(Why::kNotFound, no_such("flow", edit_.flow, flows));
    flow_ = &found->value().get_object();
    path_ = path_of("flows", std::string_view(edit_.flow));
    find_places();
    return std::nullopt;
  }

  void find_places() {
    auto* routes = flow_->if_contains("routes");
    if (routes == nullptr) {
      add_places(*flow_, path_, 0);
      return;
    }
    route_count_ = routes->get_array().size();
    for (std::size_t i = 0; i < route_count_; ++i) {
      add_places(routes->get_array()[i].get_object(), path_of(path_ + ".routes", i), i);
    }
  }

  void add_places(json::object& route, const std::string& path, std::size_t index) {
    for (const auto side : {Side::kFrom, Side::kTo, Side::kMesh}) {
      if (auto* selector = route.if_contains(side_name(side))) {
        places_.push_back({index, side, selector, path_of(path, side_name(side))});
      }
    }
    auto* between = route.if_contains("between");
    if (between == nullptr) return;
    const auto name = path_of(path, std::string_view("between"));
    auto& sides = between->get_array();
    places_.push_back({index, Side::kFirst, &sides[0], path_of(name, std::size_t{0})});
    places_.push_back({index, Side::kSecond, &sides[1], path_of(name, std::size_t{1})});
  }

  Refused check_id() const {
    if (before_.network.find_client(edit_.id) != nullptr) return std::nullopt;
    if (before_.network.groups.contains(edit_.id)) {
      return refuse_field("id", quoted(edit_.id) + " is a group; expected an ID");
    }
    const Population population(before_.network.clients);
    return refuse_field("id", "no client " + quoted(edit_.id) +
                                  population.suggest(edit_.id, false) +
                                  "; expected one that is defined under clients");
  }

  Refused check_route() {
    if (!edit_.route) return std::nullopt;
    if (*edit_.route >= route_count_) {
      const auto has =
          route_count_ == 1 ? std::string("1 route") : std::to_string(route_count_) + " routes";
      return refuse_field("route", path_ + " has " + has + ", counted from 0, and none at " +
                                       std::to_string(*edit_.route) + "; expected one that it has");
    }
    std::erase_if(places_, [this](const Place& place) { return place.route != *edit_.route; });
    return std::nullopt;
  }

  /// "from or to": the sides that there are.
  std::string sides() const {
    std::vector<std::string_view> names;
    for (const auto& place : places_) {
      const auto name = side_name(place.side);
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return one_of(names);
  }

  /// Leaves only the places of the side that is meant.
  Refused choose_side() {
    const bool mesh = std::all_of(places_.begin(), places_.end(),
                                  [](const Place& place) { return place.side == Side::kMesh; });
    if (!edit_.side && edit_.join && !mesh) {
      return refuse_field("side", "is missing; expected " + sides());
    }
    if (!edit_.side) return std::nullopt;
    const auto there = sides();
    std::erase_if(places_, [this](const Place& place) { return place.side != *edit_.side; });
    if (!places_.empty()) return std::nullopt;
    return refuse_field(
        "side", path_ + " has no side " + quoted(side_name(*edit_.side)) + "; expected " + there);
  }

  Refused join() {
    if (auto refusal = choose_side()) return refusal;
    if (places_.size() > 1) {
      std::string numbers;
      for (const auto& place : places_) {
        if (!numbers.empty()) numbers += &place == &places_.back() ? " or " : ", ";
        numbers += std::to_string(place.route);
      }
      return refuse_field("route", "is missing, as several routes of " + path_ +
                                       " have this side; expected " + numbers);
    }
    auto& place = places_.front();
    const auto reason = reason_in(*place.selector);
    if (reason.literal || !reason.through.empty()) {
      return refuse(Why::kConflict, edit_.id + " is already in " + place.path +
                                        (reason.literal ? "" : " through the " + reason.through));
    }
    if (!place.selector->is_array()) *place.selector = json::array{std::move(*place.selector)};
    place.selector->get_array().emplace_back(edit_.id);
    return std::nullopt;
  }

  Reason reason_in(const json::value& selector) const {
    Reason reason;
    const auto* list = selector.if_array();
    if (list == nullptr) {
      weigh(selector.get_string(), reason);
    } else {
      for (const auto& item : *list) weigh(item.get_string(), reason);
    }
    return reason;
  }

  void weigh(std::string_view item, Reason& reason) const {
    if (item == edit_.id) {
      reason.literal = true;
    } else if (reason.through.empty()) {
      const auto group = before_.network.groups.find(std::string(item));
      if (group == before_.network.groups.end()) {
        if (glob_matches(item, edit_.id)) reason.through = "pattern " + quoted(item);
      } else if (std::binary_search(group->second.begin(), group->second.end(), edit_.id)) {
        reason.group = group->first;
        reason.through = "group " + quoted(group->first);
      }
    }
  }

  Refused leave() {
    const auto asked = edit_.side ? path_ + " on side " + quoted(side_name(*edit_.side)) : path_;
    if (auto refusal = choose_side()) return refusal;
    std::vector<Place*> left;
    for (auto& place : places_) {
      const auto reason = reason_in(*place.selector);
      if (!reason.through.empty()) return refuse_indirect(place, reason);
      if (reason.literal) left.push_back(&place);
    }
    if (left.empty()) return refuse(Why::kNotFound, edit_.id + " is not in " + asked);
    for (auto* place : left) {
      if (auto refusal = take_off(*place)) return refusal;
    }
    remove_routes();
    remove_handover();
    return std::nullopt;
  }

  EditRefusal refuse_indirect(const Place& place, const Reason& reason) const {
    const auto out = reason.group.empty()
                         ? std::string("expected the IDs themselves there, instead of the pattern")
                         : "expected " + edit_.id + " to be taken out of " +
                               path_of("groups", std::string_view(reason.group)) +
                               ", or the IDs themselves in " + place.path;
    return refuse(Why::kConflict, edit_.id + " is in " + place.path + " through the " +
                                      reason.through + "; " + out);
  }

  Refused take_off(const Place& place) {
    auto* list = place.selector->if_array();
    if (list != nullptr) {
      const auto gone = std::remove(list->begin(), list->end(), json::value(edit_.id));
      list->erase(gone, list->end());
    }
    if (list != nullptr && !list->empty()) return std::nullopt;
    if (std::find(empty_routes_.begin(), empty_routes_.end(), place.route) == empty_routes_.end()) {
      empty_routes_.push_back(place.route);
    }
    if (empty_routes_.size() < route_count_) return std::nullopt;
    return refuse(Why::kConflict, "without " + edit_.id + " the flow would have nobody in " +
                                      place.path +
                                      "; expected somebody else there first, or the flow removed");
  }

  /// A side with nobody takes its route along; take_off has seen to it that others stay.
  void remove_routes() {
    std::sort(empty_routes_.rbegin(), empty_routes_.rend());
    for (const auto route : empty_routes_) {
      auto& routes = flow_->at("routes").get_array();
      routes.erase(routes.begin() + static_cast<std::ptrdiff_t>(route));
    }
  }

  /// The file may only say of those who receive where they hand over.
  void remove_handover() {
    if (still_receives()) return;
    for (const auto* key : {"deliver", "target"}) {
      auto* places = flow_->if_contains(key);
      if (places == nullptr || !places->is_object()) continue;
      auto& by_id = places->get_object();
      const auto own = by_id.find(edit_.id);
      if (own == by_id.end()) continue;
      by_id.stable_erase(own);
      if (by_id.empty()) flow_->stable_erase(flow_->find(key));
    }
  }

  bool still_receives() {
    places_.clear();
    find_places();
    return std::any_of(places_.begin(), places_.end(), [this](const Place& place) {
      const auto reason = reason_in(*place.selector);
      return place.side != Side::kFrom && (reason.literal || !reason.through.empty());
    });
  }

  const RoutesDocument& before_;
  const EditMember& edit_;
  json::value root_;
  json::object* flow_ = nullptr;
  std::string path_;
  std::size_t route_count_ = 1;
  std::vector<Place> places_;
  std::vector<std::size_t> empty_routes_;
};

}  // namespace

JsonEdit edit_member(const RoutesDocument& before, const EditMember& edit) {
  return MemberEdit(before, edit).run();
}

}  // namespace wormhole
