// Edits of routes.yaml as programs ask for them: what the file says afterwards, or why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <fstream>
#include <functional>
#include <sstream>

#include "wormhole/config/routes_document.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using Action = EditValue::Action;
using Why = EditRefusal::Why;

std::string project_file(const std::string& path) {
  std::ifstream file(std::string(WORMHOLE_TEST_DATA) + "/../" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

RoutesDocument document(const std::string& text) {
  auto result = parse_document(text, "routes.yaml");
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    ADD_FAILURE() << errors->front().to_string() << "\n" << text;
    return {};
  }
  return std::get<RoutesDocument>(std::move(result));
}

json::value quoted_json(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return json::parse(text);
}

EditValue put(std::vector<std::string> path, const std::string& value) {
  return {Action::kPut, std::move(path), quoted_json(value)};
}
EditValue merge(std::vector<std::string> path, const std::string& value) {
  return {Action::kMerge, std::move(path), quoted_json(value)};
}
EditValue remove(std::vector<std::string> path) { return {Action::kRemove, std::move(path), {}}; }

const std::string kText =
    "server: {addresses: [192.0.2.1]}  # one\n"
    "clients:\n"
    "  # drones\n"
    "  drone3: {}\n"
    "  drone7:\n"
    "  gcs4: {}\n"
    "  gcs5: {}\n"
    "\n"
    "groups:\n"
    "  ground: [gcs4]\n"
    "flows:\n"
    "  # camera\n"
    "  video:\n"
    "    protocol: udp\n"
    "    port: 5600   # RTP\n"
    "    from: drone3\n"
    "    to: [ground, gcs5]\n"
    "    deliver: {gcs5: 127.0.0.1:5601}\n"
    "\n"
    "  mavlink: {protocol: udp, port: 14550, between: [\"drone*\", ground]}\n"
    "  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
    "  many:\n"
    "    protocol: udp\n"
    "    port: 9001\n"
    "    routes:\n"
    "      - {from: drone3, to: gcs4}\n"
    "      - {from: drone7, to: gcs5}\n"
    "      - mesh: [\"drone*\"]\n";

std::string refusal_text(const EditRefusal& refusal) {
  static constexpr const char* kNames[] = {"NotFound", "Invalid", "Conflict", "Stale", "Storage"};
  auto text = std::string(kNames[static_cast<int>(refusal.why)]) + ": " + refusal.message;
  for (const auto& field : refusal.fields) {
    const auto whole = (field.path.empty() ? "" : field.path + ": ") + field.message;
    if (whole != refusal.message) text += " | " + whole;
  }
  return text;
}

/// The lines that differ, as "-old" and "+new"; or the refusal.
std::string difference(const std::string& before, const RoutesEdit& edit) {
  const auto result = edit_routes(document(before), edit, "routes.yaml");
  if (!result) return refusal_text(result.error());
  const auto again = document(result->text);
  EXPECT_EQ(again.json, result->json);
  EXPECT_EQ(again.network.flows, result->network.flows);
  const auto lines = [](const std::string& text) {
    std::vector<std::string> all;
    std::stringstream stream(text);
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
  };
  auto a = lines(before);
  auto b = lines(result->text);
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    a.erase(a.begin());
    b.erase(b.begin());
  }
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    a.pop_back();
    b.pop_back();
  }
  std::string text;
  for (const auto& line : a) text += "-" + line + "\n";
  for (const auto& line : b) text += "+" + line + "\n";
  return text;
}

struct Row {
  const char* name;
  RoutesEdit edit;
  const char* expected;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) EXPECT_EQ(difference(kText, row.edit), row.expected) << row.name;
}

TEST(RoutesDocument, IsJsonAsItIsWritten) {
  const auto text =
      "server: {addresses: [192.0.2.1], port: 7700, rest: none}\n"
      "clients: {7: , b: {}}\n"
      "flows: {port: {protocol: udp, port: 9, from: 7, to: \"b\", deliver: {b: 127.0.0.1:5}}}\n";
  EXPECT_EQ(json::serialize(document(text).json),
            R"({"server":{"addresses":["192.0.2.1"],"port":7700,"rest":"none"},)"
            R"("clients":{"7":null,"b":{}},"flows":{"port":{"protocol":"udp","port":9,)"
            R"("from":"7","to":"b","deliver":{"b":"127.0.0.1:5"}}}})");
}

TEST(RoutesDocument, HasTheErrorsOfTheFile) {
  const auto result = parse_document("server: {}\nclients: {}\nflows: {}\n", "f");
  const auto* errors = std::get_if<std::vector<ConfigError>>(&result);
  ASSERT_NE(errors, nullptr);
  EXPECT_EQ(errors->front().to_string(),
            "f:1:9: server.addresses: is missing; expected a list of the server's public IP "
            "addresses");
}

TEST(EditRoutes, PutsOnlyWhatDiffers) {
  check({
      {"nothing", put({"flows", "video", "port"}, "5600"), ""},
      {"one key of a flow",
       put({"flows", "video"},
           "{'protocol':'udp','from':'drone3','port':5602,'to':['ground','gcs5'],"
           "'deliver':{'gcs5':'127.0.0.1:5601'}}"),
       "-    port: 5600   # RTP\n+    port: 5602   # RTP\n"},
      {"a client", put({"clients", "gcs6"}, "{}"), "+  gcs6: {}\n"},
      {"an empty client", put({"clients", "gcs6"}, "null"), "+  gcs6:\n"},
      {"a group", put({"groups", "all"}, "['*']"), "+  all: [\"*\"]\n"},
      {"a flow", put({"flows", "x"}, "{'protocol':'udp','port':1,'mesh':'ground*'}"),
       "Invalid: flows.x.mesh: \"ground*\" matches no client; expected a pattern that does"},
      {"a flow as its siblings",
       put({"flows", "x"}, "{'protocol':'udp','port':1,'from':'gcs4','to':['drone3','gcs5']}"),
       "+  x:\n+    protocol: udp\n+    port: 1\n+    from: gcs4\n+    to: [drone3, gcs5]\n"},
      {"behind the last of a list", put({"flows", "many", "routes", "-"}, "{'mesh':'gcs*'}"),
       "+      - mesh: \"gcs*\"\n"},
      {"in a list", put({"flows", "many", "routes", "1", "to"}, "'gcs4'"),
       "-      - {from: drone7, to: gcs5}\n+      - {from: drone7, to: gcs4}\n"},
      {"a map that is not there", put({"flows", "swarm", "self_join", "mesh"}, "'gcs*'"),
       "-  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
       "+  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5], "
       "self_join: {mesh: \"gcs*\"}}\n"},
      {"in an empty client", put({"clients", "drone7", "key"}, "'x'"),
       "Invalid: clients.drone7.key: is not a key; expected the public key that `wormhole keygen` "
       "printed: wh1 and 43 characters more"},
  });
}

TEST(EditRoutes, MakesASectionThatIsNotThere) {
  EXPECT_EQ(difference("server: {addresses: [192.0.2.1]}\nclients: {a: {}}\nflows: {}\n",
                       put({"groups", "g"}, "['a']")),
            "+groups:\n+  g: [a]\n");
  EXPECT_EQ(difference("server: {addresses: [192.0.2.1]}\nclients: {}\nflows: {}\n",
                       put({"clients", "a"}, "{}")),
            "-clients: {}\n+clients:\n+  a: {}\n");
}

TEST(EditRoutes, Merges) {
  check({
      {"one member", merge({"flows", "video"}, "{'port':5602}"),
       "-    port: 5600   # RTP\n+    port: 5602   # RTP\n"},
      {"null removes", merge({"flows", "video"}, "{'deliver':null}"),
       "-    deliver: {gcs5: 127.0.0.1:5601}\n"},
      {"what is not there", merge({"flows", "video"}, "{'target':null}"), ""},
      {"deep", merge({}, "{'flows':{'video':{'deliver':{'gcs4':'none'}}}}"),
       "-    deliver: {gcs5: 127.0.0.1:5601}\n"
       "+    deliver: {gcs5: 127.0.0.1:5601, gcs4: none}\n"},
      {"one goes, one comes",
       merge({"flows"}, "{'mavlink':null,'x':{'protocol':'udp','port':1,'mesh':'*'}}"),
       "-  mavlink: {protocol: udp, port: 14550, between: [\"drone*\", ground]}\n"
       "-  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
       "-  many:\n-    protocol: udp\n-    port: 9001\n-    routes:\n"
       "-      - {from: drone3, to: gcs4}\n-      - {from: drone7, to: gcs5}\n"
       "-      - mesh: [\"drone*\"]\n"
       "+  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
       "+  many:\n+    protocol: udp\n+    port: 9001\n+    routes:\n"
       "+      - {from: drone3, to: gcs4}\n+      - {from: drone7, to: gcs5}\n"
       "+      - mesh: [\"drone*\"]\n"
       "+  x:\n+    protocol: udp\n+    port: 1\n+    mesh: \"*\"\n"},
      {"a flow that is not there", merge({"flows", "vidoe"}, "{'port':1}"),
       "NotFound: no flow \"vidoe\" (did you mean video?)"},
  });
}

TEST(EditRoutes, Removes) {
  check({
      {"a flow", remove({"flows", "video"}),
       "-  # camera\n-  video:\n-    protocol: udp\n-    port: 5600   # RTP\n-    from: drone3\n"
       "-    to: [ground, gcs5]\n-    deliver: {gcs5: 127.0.0.1:5601}\n"},
      {"an item", remove({"flows", "many", "routes", "1"}), "-      - {from: drone7, to: gcs5}\n"},
      {"a client that is used", remove({"clients", "drone7"}),
       "Invalid: flows.swarm.mesh[1]: no client or group \"drone7\" (did you mean drone3?); "
       "expected one that is defined under clients or groups | flows.many.routes[1].from: no "
       "client or group \"drone7\" (did you mean drone3?); expected one that is defined under "
       "clients or groups | flows.many.routes[2].mesh: drone3 is alone in this mesh; expected two "
       "clients or more"},
      {"what is not there", remove({"clients", "drone8"}),
       "NotFound: no client \"drone8\" (did you mean drone3?)"},
      {"what is not in a flow", remove({"flows", "video", "target"}),
       "NotFound: flows.video has no \"target\""},
      {"beyond a list", remove({"flows", "many", "routes", "3"}),
       "NotFound: flows.many.routes has 3 entries, counted from 0, and none at \"3\""},
      {"the last of a list", remove({"flows", "many", "routes", "-"}),
       "NotFound: flows.many.routes has 3 entries, counted from 0, and none at \"-\""},
      {"within a scalar", remove({"flows", "video", "from", "x"}),
       "Conflict: flows.video.from is a single value and has no \"x\"; expected an edit of "
       "flows.video.from itself"},
      {"a section", remove({"flows"}),
       "Invalid: flows: is missing; expected a map of flows, or {} for none"},
      {"everything", remove({}),
       "Conflict: the whole file can't be removed; expected a path in it"},
  });
}

TEST(EditRoutes, RefusesWhatIsNoDocument) {
  check({
      {"a number", put({"flows", "video", "from"}, "3"),
       "Invalid: flows.video.from: 3 is no text; expected text"},
      {"a truth", put({"flows", "video", "deliver"}, "false"),
       "Invalid: flows.video.deliver: false is no text; expected text"},
      {"half a port", put({"flows", "video", "port"}, "1.5"),
       "Invalid: flows.video.port: 1.5E0 is not a port; expected a number from 1 to 65535"},
      {"a negative port", put({"flows", "video", "port"}, "-5"),
       "Invalid: flows.video.port: -5 is not a port; expected a number from 1 to 65535"},
      {"a large port", put({"flows", "video", "port"}, "65536"),
       "Invalid: flows.video.port: \"65536\" is not a port; expected a number from 1 to 65535"},
      {"a port as text", put({"flows", "video", "port"}, "'5602'"),
       "Invalid: flows.video.port: \"5602\" is in quotes; expected a number from 1 to 65535"},
      {"a port of another", put({"flows", "video", "port"}, "9000"),
       "Invalid: flows.swarm.port: 9000 is also the port of flow video, and drone3 is in both; "
       "expected another port"},
      {"no name", put({"clients", ""}, "{}"),
       "Invalid: clients.: not a name; expected 1 to 63 of a-z A-Z 0-9 . _ -"},
      {"a bad name", put({"clients", "a b"}, "{}"),
       "Invalid: clients.a b: not a client name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a "
       "letter or digit"},
      {"an unknown key", put({"flows", "video", "prot"}, "'udp'"),
       "Invalid: flows.video.prot: unknown key (did you mean port?); expected protocol, port, "
       "from, to, between, mesh, routes, deliver, target, addressing, fanout, copy_buffer, "
       "proxy_protocol, self_join, p2p, priority, max_age, rate or impair"},
      {"an empty list", put({"flows", "mavlink", "between", "1"}, "[]"),
       "Invalid: flows.mavlink.between[1]: is an empty list; expected at least one ID, group or "
       "pattern"},
      {"depth", put({"flows", "video", "to"}, "[[[[[[[[[[[[[['x']]]]]]]]]]]]]]"),
       "Invalid: flows.video.to[0][0][0][0][0][0][0][0][0][0][0][0][0]: nested more than 16 deep; "
       "expected less"},
      {"no map", put({}, "'x'"),
       "Invalid: is a single value; expected a map with server, p2p, defaults, clients, groups, "
       "impairments or "
       "flows"},
  });
}

EditMember join(const char* flow, const char* id, std::optional<Side> side = {},
                std::optional<std::size_t> route = {}) {
  return {true, flow, id, side, route};
}
EditMember leave(const char* flow, const char* id, std::optional<Side> side = {},
                 std::optional<std::size_t> route = {}) {
  return {false, flow, id, side, route};
}

TEST(EditRoutes, Joins) {
  check({
      {"a scalar becomes a list", join("video", "drone7", Side::kFrom),
       "-    from: drone3\n+    from: [drone3, drone7]\n"},
      {"a list", join("video", "drone7", Side::kTo),
       "-    to: [ground, gcs5]\n+    to: [ground, gcs5, drone7]\n"},
      {"a side of between", join("mavlink", "gcs5", Side::kSecond),
       "-  mavlink: {protocol: udp, port: 14550, between: [\"drone*\", ground]}\n"
       "+  mavlink: {protocol: udp, port: 14550, between: [\"drone*\", [ground, gcs5]]}\n"},
      {"a mesh needs no side", join("swarm", "gcs4"),
       "-  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
       "+  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5, gcs4]}\n"},
      {"one of several routes", join("many", "gcs4", Side::kTo, 1),
       "-      - {from: drone7, to: gcs5}\n+      - {from: drone7, to: [gcs5, gcs4]}\n"},
      {"the one that has the side", join("many", "gcs4", Side::kMesh),
       "-      - mesh: [\"drone*\"]\n+      - mesh: [\"drone*\", gcs4]\n"},
      {"already", join("video", "gcs5", Side::kTo), "Conflict: gcs5 is already in flows.video.to"},
      {"already by a group", join("video", "gcs4", Side::kTo),
       "Conflict: gcs4 is already in flows.video.to through the group \"ground\""},
      {"already by a pattern", join("mavlink", "drone3", Side::kFirst),
       "Conflict: drone3 is already in flows.mavlink.between[0] through the pattern \"drone*\""},
      {"no such side", join("video", "gcs5", Side::kFirst),
       "Invalid: side: flows.video has no side \"first\"; expected from or to"},
      {"no side", join("mavlink", "gcs5"), "Invalid: side: is missing; expected first or second"},
      {"several routes", join("many", "gcs5", Side::kTo),
       "Invalid: route: is missing, as several routes of flows.many have this side; expected 0 or "
       "1"},
      {"no such route", join("many", "gcs5", Side::kTo, 3),
       "Invalid: route: flows.many has 3 routes, counted from 0, and none at 3; expected one that "
       "it has"},
      {"no such flow", join("vidoe", "gcs5", Side::kTo),
       "NotFound: no flow \"vidoe\" (did you mean video?)"},
      {"no such client", join("video", "gcs6", Side::kTo),
       "Invalid: id: no client \"gcs6\" (did you mean gcs4?); expected one that is defined under "
       "clients"},
      {"a group", join("video", "ground", Side::kTo),
       "Invalid: id: \"ground\" is a group; expected an ID"},
  });
}

TEST(EditRoutes, Leaves) {
  check({
      {"a list, and its place", leave("video", "gcs5"),
       "-    to: [ground, gcs5]\n-    deliver: {gcs5: 127.0.0.1:5601}\n+    to: [ground]\n"},
      {"every side", leave("swarm", "gcs5"),
       "-  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7, gcs5]}\n"
       "+  swarm: {protocol: udp, port: 9000, mesh: [drone3, drone7]}\n"},
      {"the last of a route", leave("many", "gcs5"), "-      - {from: drone7, to: gcs5}\n"},
      {"the last of the flow", leave("video", "drone3"),
       "Conflict: without drone3 the flow would have nobody in flows.video.from; expected somebody "
       "else there first, or the flow removed"},
      {"through a group", leave("mavlink", "gcs4"),
       "Conflict: gcs4 is in flows.mavlink.between[1] through the group \"ground\"; expected gcs4 "
       "to be taken out of groups.ground, or the IDs themselves in flows.mavlink.between[1]"},
      {"through a pattern", leave("mavlink", "drone3"),
       "Conflict: drone3 is in flows.mavlink.between[0] through the pattern \"drone*\"; expected "
       "the IDs themselves there, instead of the pattern"},
      {"of one of several routes through a pattern", leave("many", "drone3", Side::kMesh),
       "Conflict: drone3 is in flows.many.routes[2].mesh through the pattern \"drone*\"; expected "
       "the IDs themselves there, instead of the pattern"},
      {"not there", leave("mavlink", "gcs5"), "NotFound: gcs5 is not in flows.mavlink"},
      {"not on the side", leave("video", "gcs5", Side::kFrom),
       "NotFound: gcs5 is not in flows.video on side \"from\""},
      {"no such flow", leave("x", "gcs5"), "NotFound: no flow \"x\""},
      {"no such client", leave("video", "gcs"),
       "Invalid: id: no client \"gcs\" (did you mean gcs4?); expected one that is defined under "
       "clients"},
  });
}

/// The example file and every example of the manual, with what they lack to be whole files.
std::vector<std::string> examples() {
  std::vector<std::string> texts{project_file("config/routes.example.yaml"), kText};
  const auto manual = project_file("docs/configuration.md");
  const std::string fence = "```yaml\n";
  for (auto at = manual.find(fence); at != std::string::npos; at = manual.find(fence, at + 1)) {
    const auto start = at + fence.size();
    auto text = manual.substr(start, manual.find("```", start) - start);
    const auto lacks = [&text](const std::string& section) {
      return !text.starts_with(section) && text.find("\n" + section) == std::string::npos;
    };
    if (lacks("server:")) text += "server: {addresses: [192.0.2.1]}\n";
    if (lacks("clients:")) text += "clients: {drone3: {}, gcs4: {}, gcs5: {}}\n";
    if (lacks("flows:")) text += "flows: {}\n";
    texts.push_back(std::move(text));
  }
  return texts;
}

void for_every_path(const json::value& value, std::vector<std::string> path,
                    const std::function<void(const std::vector<std::string>&)>& call) {
  if (!path.empty()) call(path);
  path.emplace_back();
  if (const auto* map = value.if_object()) {
    for (const auto& [key, child] : *map) {
      path.back() = std::string(key);
      for_every_path(child, path, call);
    }
  } else if (const auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      path.back() = std::to_string(i);
      for_every_path((*list)[i], path, call);
    }
  }
}

/// What an edit says when our editor failed: kConflict is for members and for paths through
/// scalars.
TEST(EditRoutes, CanChangeEveryPlaceOfEveryExample) {
  const auto texts = examples();
  EXPECT_GE(texts.size(), 5U);
  std::size_t made = 0;
  for (const auto& text : texts) {
    const auto before = document(text);
    const auto try_edit = [&](const EditValue& edit) {
      const auto result = edit_routes(before, edit, "f");
      made += result ? 1 : 0;
      EXPECT_TRUE(result || result.error().why == Why::kInvalid)
          << json::serialize(json::value_from(edit.path)) << ": " << result.error().message << "\n"
          << text;
    };
    for_every_path(before.json, {}, [&](const std::vector<std::string>& path) {
      try_edit(remove(path));
      for (const auto* value : {"'drone3'", "7", "null", "{}", "[]", "['gcs4','gcs5']",
                                "{'gcs4':'127.0.0.1:7','gcs5':'none'}"}) {
        try_edit(put(path, value));
        try_edit(merge(path, value));
      }
    });
  }
  EXPECT_GE(made, 100U);
}

/// Joins and leaves again: nothing is left over, in no style.
TEST(EditRoutes, JoinAndLeaveIsNothing) {
  for (const auto& text : examples()) {
    const auto before = document(text);
    std::size_t joins = 0;
    for (const auto& flow : before.network.flows) {
      for (const auto& client : before.network.clients) {
        for (const auto side : {Side::kFrom, Side::kTo, Side::kFirst, Side::kSecond, Side::kMesh}) {
          const auto joined =
              edit_routes(before, EditMember{true, flow.name, client.id, side, 0}, "f");
          if (!joined) continue;
          ++joins;
          const auto left =
              edit_routes(*joined, EditMember{false, flow.name, client.id, side, 0}, "f");
          ASSERT_TRUE(left.has_value()) << left.error().message;
          EXPECT_EQ(left->network.flows, before.network.flows);
        }
      }
    }
    EXPECT_EQ(joins == 0, before.network.flows.empty()) << text;
  }
}

}  // namespace
}  // namespace wormhole
