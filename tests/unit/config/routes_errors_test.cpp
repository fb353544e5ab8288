// One row per thing that can be wrong, with the exact text a person sees.
#include <gtest/gtest.h>

#include "wormhole/config/routes_file.hpp"

namespace wormhole {
namespace {

struct Row {
  const char* name;
  std::string text;
  const char* expected;
};

const std::string kClients = "clients: {d3: {}, d4: {}, g4: {}}\n";
const std::string kHead =
    "server: {addresses: [192.0.2.1]}\n" + kClients + "groups: {ground: [g4]}\n";

std::string server(const std::string& value) {
  return "server: " + value + "\n" + kClients + "flows: {}\n";
}
std::string clients(const std::string& value) {
  return "server: {addresses: [192.0.2.1]}\nclients: " + value + "\nflows: {}\n";
}
std::string groups(const std::string& value) {
  return "server: {addresses: [192.0.2.1]}\n" + kClients + "groups: " + value + "\nflows: {}\n";
}
std::string flow(const std::string& keys) { return kHead + "flows:\n  v: {" + keys + "}\n"; }

std::string errors_of(const std::string& text) {
  const auto result = parse_routes(text, "f");
  if (std::holds_alternative<Network>(result)) return "no error";
  std::string lines;
  for (const auto& error : std::get<std::vector<ConfigError>>(result)) {
    if (!lines.empty()) lines += '\n';
    lines += error.to_string();
  }
  return lines;
}

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) EXPECT_EQ(errors_of(row.text), row.expected) << row.name;
}

TEST(RoutesErrors, Text) {
  check({
      {"empty", "", "f:1:1: the file is empty; expected server, clients and flows"},
      {"only comments", "# nothing\n",
       "f:1:1: the file is empty; expected server, clients and flows"},
      {"NUL", std::string("server: \000\n", 10), "f:1:9: control character 0x00; expected text"},
      {"control", "a: \001\n", "f:1:4: control character 0x01; expected text"},
      {"tab indentation", "server:\n\011port: 1\n", "f:2:1: tab character; expected spaces"},
      {"tab before comment", "server:\011# x\n", "f:1:8: tab character; expected spaces"},
      {"lone CR", "a: 1\015b: 2\n", "f:1:5: control character 0x0d; expected text"},
      {"bad utf8", std::string("a: \377\n", 5), "f:1:4: byte 0xff is not UTF-8; expected text"},
      {"overlong utf8", std::string("a: \300\200\n", 6),
       "f:1:4: byte 0xc0 is not UTF-8; expected text"},
      {"utf-16", std::string("\377\376a\000\n\000", 6),
       "f:1:1: byte 0xff is not UTF-8; expected text"},
      {"cut utf8", std::string("# \342\202\n", 5), "f:1:3: byte 0xe2 is not UTF-8; expected text"},
      {"surrogate", std::string("# \355\240\200\n", 6),
       "f:1:3: byte 0xed is not UTF-8; expected text"},
      {"no line end", "server:\n  port: 77",
       "f:2:11: the last line has no line end, so the file may be cut short; expected a newline "
       "after it"},
  });
}

TEST(RoutesErrors, Yaml) {
  check({
      {"syntax", "server: {port: 1\n",
       "f:2:1: server: not YAML here (end of map flow not found); expected \"key: value\" lines "
       "indented with spaces, brackets and quotes closed"},
      {"two documents", "a: 1\n---\nb: 2\n", "f:2:1: a second YAML document; expected one"},
      {"anchor", kHead + "flows: &f {}\n",
       "f:4:8: flows: an anchor (&); expected the value without it"},
      {"alias", kHead + "flows: *f\n",
       "f:4:8: flows: not YAML here (the referenced anchor is not defined); expected \"key: "
       "value\" lines indented with spaces, brackets and quotes closed"},
      {"tag", kHead + "flows: !!map {}\n",
       "f:4:8: flows: a tag (!); expected the value without it"},
      {"tag scalar",
       "server: {addresses: [192.0.2.1], port: !!int 7700}\nclients: {d3: {}, d4: {}, g4: "
       "{}}\nflows: {}\n",
       "f:1:40: server.port: a tag (!); expected the value without it"},
      {"anchor on empty", kHead + "flows: &x\n",
       "f:4:8: flows: an anchor (&); expected the value without it"},
      {"duplicate section", kHead + "flows: {}\nflows: {}\n",
       "f:5:1: flows: this key is already on line 4; expected it once"},
      {"duplicate key",
       "server: {addresses: [192.0.2.1], port: 1, port: 2}\nclients: {d3: {}, d4: {}, g4: "
       "{}}\nflows: {}\n",
       "f:1:43: server.port: this key is already on line 1; expected it once"},
      {"duplicate client",
       "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, d3: {}}\nflows: {}\n",
       "f:2:19: clients.d3: this key is already on line 2; expected it once"},
      {"key is list", "? [a]\n: b\n",
       "f:1:3: a list or a map as a key; expected a name (is a bracket not closed?)"},
      {"key is null", "~: b\n", "f:1:1: an empty key; expected a name"},
      {"nested", "a: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n",
       "f:1:19: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested more than 16 deep; expected "
       "less"},
      {"root is list", "- a\n",
       "f:1:1: is a list; expected a map with server, p2p, defaults, clients, groups, impairments "
       "or flows"},
      {"root is scalar", "hello\n",
       "f:1:1: is a single value; expected a map with server, p2p, defaults, clients, groups, "
       "impairments or "
       "flows"},
      {"root misses all", "{}\n",
       "f:1:1: server: is missing; expected a map with addresses\n"
       "f:1:1: clients: is missing; expected a map of clients, or {} for none\n"
       "f:1:1: flows: is missing; expected a map of flows, or {} for none"},
      {"unknown section", kHead + "flows: {}\nrelays: 1\n",
       "f:5:1: relays: unknown key; expected server, p2p, defaults, clients, groups, impairments "
       "or flows"},
      {"alias of an anchor", "server: &s {}\nclients: *s\n",
       "f:1:9: server: an anchor (&); expected the value without it\n"
       "f:2:10: clients: an alias (*); expected the value itself"},
  });
}

TEST(RoutesErrors, Server) {
  check({
      {"server empty", server(""),
       "f:1:1: server: is empty; expected a map with name, addresses, port, probe_port, relay, "
       "rest or "
       "state_dir"},
      {"server list", server("[]"),
       "f:1:9: server: is a list; expected a map with name, addresses, port, probe_port, relay, "
       "rest or "
       "state_dir"},
      {"no addresses", server("{port: 1}"),
       "f:1:9: server.addresses: is missing; expected a list of the server's public IP addresses"},
      {"addresses scalar", server("{addresses: 192.0.2.1}"),
       "f:1:21: server.addresses: is a single value; expected a list of the server's public IP "
       "addresses"},
      {"addresses empty list", server("{addresses: []}"),
       "f:1:21: server.addresses: is an empty list; expected a list of the server's public IP "
       "addresses"},
      {"addresses null", server("{addresses: }"),
       "f:1:10: server.addresses: is empty; expected a list of the server's public IP addresses"},
      {"address bad", server("{addresses: [relay.example.org]}"),
       "f:1:22: server.addresses[0]: \"relay.example.org\" is not an IP address; expected an IP "
       "address like 198.51.100.10"},
      {"address unspecified", server("{addresses: [0.0.0.0]}"),
       "f:1:22: server.addresses[0]: 0.0.0.0 is no address that clients can reach; expected a "
       "public one, {public: ADDRESS, bind: 0.0.0.0} binds all"},
      {"address unspecified 6", server("{addresses: [\"::\"]}"),
       "f:1:22: server.addresses[0]: :: is no address that clients can reach; expected a public "
       "one, {public: ADDRESS, bind: ::} binds all"},
      {"address public unspecified", server("{addresses: [{public: 0.0.0.0, bind: 0.0.0.0}]}"),
       "f:1:31: server.addresses[0].public: 0.0.0.0 is no address that clients can reach; expected "
       "a public one, {public: ADDRESS, bind: 0.0.0.0} binds all"},
      {"address nested list", server("{addresses: [[192.0.2.1]]}"),
       "f:1:22: server.addresses[0]: is a list; expected an IP address or {public: ADDRESS, bind: "
       "ADDRESS}"},
      {"address twice", server("{addresses: [192.0.2.1, 192.0.2.1]}"),
       "f:1:33: server.addresses[1]: 192.0.2.1 is in the list already; expected it once"},
      {"address no bind", server("{addresses: [{public: 192.0.2.1}]}"),
       "f:1:22: server.addresses[0].bind: is missing; expected this machine's own address behind "
       "it"},
      {"address no public", server("{addresses: [{bind: 192.0.2.1}]}"),
       "f:1:22: server.addresses[0].public: is missing; expected the address that clients can "
       "reach"},
      {"address family", server("{addresses: [{public: 192.0.2.1, bind: \"::1\"}]}"),
       "f:1:48: server.addresses[0].bind: is of another IP version than public; expected the same"},
      {"address bind twice",
       server("{addresses: [{public: 192.0.2.1, bind: 10.0.0.5}, {public: 192.0.2.2, bind: "
              "10.0.0.5}]}"),
       "f:1:59: server.addresses[1]: binds 10.0.0.5, and an address before it binds 10.0.0.5 on "
       "the same port; expected a bind address of its own"},
      {"address bind all", server("{addresses: [{public: 192.0.2.1, bind: 0.0.0.0}, 192.0.2.2]}"),
       "f:1:58: server.addresses[1]: binds 192.0.2.2, and an address before it binds 0.0.0.0 on "
       "the same port; expected a bind address of its own"},
      {"nine addresses",
       server("{addresses: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6, "
              "192.0.2.7, 192.0.2.8, 192.0.2.9]}"),
       "f:1:110: server.addresses[8]: a ninth address; expected at most 8, which is what an invite "
       "code carries"},
      {"address unknown key", server("{addresses: [{public: 192.0.2.1, bnd: 10.0.0.5}]}"),
       "f:1:22: server.addresses[0].bind: is missing; expected this machine's own address behind "
       "it\n"
       "f:1:42: server.addresses[0].bnd: unknown key (did you mean bind?); expected public or "
       "bind"},
      {"server unknown", server("{addresses: [192.0.2.1], ntp: {}}"),
       "f:1:34: server.ntp: unknown key; expected name, addresses, port, probe_port, relay, rest "
       "or "
       "state_dir"},
      {"server near", server("{adresses: [192.0.2.1]}"),
       "f:1:9: server.addresses: is missing; expected a list of the server's public IP addresses\n"
       "f:1:10: server.adresses: unknown key (did you mean addresses?); expected name, addresses, "
       "port, probe_port, relay, rest or state_dir"},
      {"port 0", server("{addresses: [192.0.2.1], port: 0}"),
       "f:1:40: server.port: \"0\" is not a port; expected a number from 1 to 65535"},
      {"port big", server("{addresses: [192.0.2.1], port: 65536}"),
       "f:1:40: server.port: \"65536\" is not a port; expected a number from 1 to 65535"},
      {"port text", server("{addresses: [192.0.2.1], port: http}"),
       "f:1:40: server.port: \"http\" is not a port; expected a number from 1 to 65535"},
      {"port quoted", server("{addresses: [192.0.2.1], port: \"7700\"}"),
       "f:1:40: server.port: \"7700\" is in quotes; expected a number from 1 to 65535"},
      {"port octal", server("{addresses: [192.0.2.1], port: 07700}"),
       "f:1:40: server.port: \"07700\" is not a port; expected a number from 1 to 65535"},
      {"port list", server("{addresses: [192.0.2.1], port: [1]}"),
       "f:1:40: server.port: is a list; expected a number from 1 to 65535"},
      {"port neg", server("{addresses: [192.0.2.1], port: -1}"),
       "f:1:40: server.port: \"-1\" is not a port; expected a number from 1 to 65535"},
      {"port null", server("{addresses: [192.0.2.1], port: }"),
       "f:1:34: server.port: is empty; expected a number from 1 to 65535"},
      {"port empty", server("{addresses: [192.0.2.1], port: \"\"}"),
       "f:1:40: server.port: \"\" is in quotes; expected a number from 1 to 65535"},
      {"name ip", server("{addresses: [192.0.2.1], name: 192.0.2.1}"),
       "f:1:40: server.name: is an IP address; expected a DNS name, addresses go under addresses"},
      {"name bad", server("{addresses: [192.0.2.1], name: relay_1.example.org}"),
       "f:1:40: server.name: \"relay_1.example.org\" is not a DNS name; expected a DNS name like "
       "relay.example.org"},
      {"name dots", server("{addresses: [192.0.2.1], name: relay..org}"),
       "f:1:40: server.name: \"relay..org\" is not a DNS name; expected a DNS name like "
       "relay.example.org"},
      {"name empty", server("{addresses: [192.0.2.1], name: \"\"}"),
       "f:1:40: server.name: is an empty text; expected a DNS name like relay.example.org"},
      {"name port", server("{addresses: [192.0.2.1], name: \"relay.example.org:7700\"}"),
       "f:1:40: server.name: \"relay.example.org:7700\" is not a DNS name; expected a DNS name "
       "like relay.example.org"},
      {"dir rel", server("{addresses: [192.0.2.1], state_dir: state}"),
       "f:1:45: server.state_dir: \"state\" depends on where the server is started; expected an "
       "absolute path like /var/lib/wormhole"},
      {"dir map", server("{addresses: [192.0.2.1], state_dir: {}}"),
       "f:1:45: server.state_dir: is a map; expected an absolute path like /var/lib/wormhole"},
      {"unclosed quote in state_dir",
       "clients: {d3: {}, d4: {}, g4: {}}\nflows: {}\nserver:\n  addresses: [192.0.2.1]\n  "
       "state_dir: \"/var/lib/w\n",
       "f:5:14: server.state_dir: \"/var/lib/w \" ends with a space (is its closing quote "
       "missing?); expected an absolute path like /var/lib/wormhole"},
  });
}

TEST(RoutesErrors, Clients) {
  check({
      {"clients null", clients(""),
       "f:2:1: clients: is empty; expected a map of clients, or {} for none"},
      {"clients list", clients("[d3]"),
       "f:2:10: clients: is a list; expected a map of clients, or {} for none"},
      {"client name", clients("{\"drone 3\": {}}"),
       "f:2:11: clients.drone 3: not a client name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a "
       "letter or digit"},
      {"client name long",
       clients("{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: {}}"),
       "f:2:11: clients.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: not a "
       "client name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a letter or digit"},
      {"client scalar", clients("{d3: wh1abc}"),
       "f:2:15: clients.d3: is a single value; expected {} or a map with key or p2p"},
      {"client unknown", clients("{d3: {keys: a}}"),
       "f:2:16: clients.d3.keys: unknown key (did you mean key?); expected key or p2p"},
      {"client key bad", clients("{d3: {key: wh1abc}}"),
       "f:2:21: clients.d3.key: is not a key; expected the public key that `wormhole keygen` "
       "printed: wh1 and 43 characters more"},
      {"client key list", clients("{d3: {key: []}}"),
       "f:2:21: clients.d3.key: is a list; expected the public key that `wormhole keygen` printed: "
       "wh1 and 43 characters more"},
      {"client key zero", clients("{d3: {key: wh1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA}}"),
       "f:2:21: clients.d3.key: is not a key; expected the public key that `wormhole keygen` "
       "printed: wh1 and 43 characters more"},
      {"client key twice",
       clients("{d3: {key: wh1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE}, d4: {key: "
               "wh1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE}}"),
       "f:2:80: clients.d4.key: is also the key of d3; expected another for each"},
  });
}

TEST(RoutesErrors, Groups) {
  check({
      {"group scalar", groups("{a: d3}"),
       "f:3:13: groups.a: is a single value; expected a list of IDs and patterns"},
      {"group empty", groups("{a: []}"),
       "f:3:13: groups.a: is an empty list; expected a list of IDs and patterns"},
      {"group unknown", groups("{a: [d5]}"),
       "f:3:14: groups.a[0]: no client \"d5\"; expected one that is defined under clients"},
      {"group in group", groups("{a: [b], b: [d3]}"),
       "f:3:14: groups.a[0]: \"b\" is a group; expected an ID or a pattern"},
      {"group same name", groups("{d3: [d4]}"),
       "f:3:10: groups.d3: a client has this name too; expected another for the group"},
      {"group glob", groups("{a: [\"x*\"]}"),
       "f:3:14: groups.a[0]: \"x*\" matches no client; expected a pattern that does"},
      {"group nested list", groups("{a: [[d3]]}"),
       "f:3:14: groups.a[0]: is a list; expected an ID or a pattern like \"drone*\""},
      {"groups null", groups(""),
       "f:3:1: groups: is empty; expected a map of groups, or {} for none"},
      {"group name", groups("{a/b: [d3]}"),
       "f:3:10: groups.a/b: not a group name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a "
       "letter or digit"},
  });
}

TEST(RoutesErrors, Flows) {
  check({
      {"flows null", kHead + "flows:\n",
       "f:4:1: flows: is empty; expected a map of flows, or {} for none"},
      {"flow null", kHead + "flows:\n  v:\n",
       "f:5:3: flows.v: is empty; expected a map with protocol, port, from, to, between, mesh, "
       "routes, deliver, target, addressing, fanout, copy_buffer, proxy_protocol, self_join, "
       "p2p, priority, max_age, rate or impair"},
      {"flow name", kHead + "flows: {_v: {}}\n",
       "f:4:9: flows._v: not a flow name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a letter or "
       "digit"},
      {"flow no protocol", flow("port: 1, mesh: [d3, d4]"),
       "f:5:6: flows.v.protocol: is missing; expected udp or tcp"},
      {"fanout in udp", flow("protocol: udp, port: 1, mesh: [d3, d4], fanout: copy"),
       "f:5:55: flows.v.fanout: \"copy\" is not a fanout; expected relay, direct or auto (pick and "
       "copy are for TCP flows)"},
      {"deliver in tcp", flow("protocol: tcp, port: 1, mesh: [d3, d4], deliver: none"),
       "f:5:56: flows.v.deliver: is where the datagrams of a UDP flow go; expected target in a TCP "
       "flow"},
      {"fanout", flow("protocol: tcp, port: 1, mesh: [d3, d4], fanout: all"),
       "f:5:55: flows.v.fanout: \"all\" is not a fanout; expected pick or copy (relay, direct and "
       "auto are for UDP flows)"},
      {"copy buffer alone", flow("protocol: tcp, port: 1, mesh: [d3, d4], copy_buffer: 1MiB"),
       "f:5:60: flows.v.copy_buffer: is how far a receiver may be behind; expected fanout: copy "
       "beside it"},
      {"copy buffer",
       flow("protocol: tcp, port: 1, mesh: [d3, d4], fanout: copy, copy_buffer: 1GB"),
       "f:5:74: flows.v.copy_buffer: \"1GB\" is none; expected a size from 16KiB to 16MiB"},
      {"small copy buffer",
       flow("protocol: tcp, port: 1, mesh: [d3, d4], fanout: copy, copy_buffer: 16383"),
       "f:5:74: flows.v.copy_buffer: \"16383\" is none; expected a size from 16KiB to 16MiB"},
      {"proxy", flow("protocol: tcp, port: 1, mesh: [d3, d4], proxy_protocol: v1"),
       "f:5:63: flows.v.proxy_protocol: \"v1\" is no switch; expected on or off"},
      {"priority", flow("protocol: udp, port: 1, mesh: [d3, d4], priority: top"),
       "f:5:57: flows.v.priority: \"top\" is not a priority; expected high, normal or low"},
      {"max age", flow("protocol: udp, port: 1, mesh: [d3, d4], max_age: 200"),
       "f:5:56: flows.v.max_age: \"200\" is none; expected a time like 40ms, from 10ms to 60s"},
      {"short max age", flow("protocol: udp, port: 1, mesh: [d3, d4], max_age: 9ms"),
       "f:5:56: flows.v.max_age: \"9ms\" is none; expected a time like 40ms, from 10ms to 60s"},
      {"max age in tcp", flow("protocol: tcp, port: 1, mesh: [d3, d4], max_age: 200ms"),
       "f:5:56: flows.v.max_age: is for UDP flows, a TCP flow waits instead of losing; expected "
       "priority alone"},
      {"rate in tcp", flow("protocol: tcp, port: 1, mesh: [d3, d4], rate: 2M"),
       "f:5:53: flows.v.rate: is for UDP flows, a TCP flow waits instead of losing; expected "
       "priority alone"},
      {"rate", flow("protocol: udp, port: 1, mesh: [d3, d4], rate: 2Mbits"),
       "f:5:53: flows.v.rate: \"2Mbits\" is none; expected a rate like 10mbit or 512kbit, from "
       "8kbit to 10gbit"},
      {"low rate", flow("protocol: udp, port: 1, mesh: [d3, d4], rate: 7.9k"),
       "f:5:53: flows.v.rate: \"7.9k\" is none; expected a rate like 10mbit or 512kbit, from "
       "8kbit to 10gbit"},
      {"no number", flow("protocol: udp, port: 1, mesh: [d3, d4], rate: infM"),
       "f:5:53: flows.v.rate: \"infM\" is none; expected a rate like 10mbit or 512kbit, from "
       "8kbit to 10gbit"},
      {"sctp", flow("protocol: sctp, port: 1, mesh: [d3, d4]"),
       "f:5:17: flows.v.protocol: \"sctp\" is not a protocol; expected udp or tcp"},
      {"no port", flow("protocol: udp, mesh: [d3, d4]"),
       "f:5:6: flows.v.port: is missing; expected a number from 1 to 65535"},
      {"no route", flow("protocol: udp, port: 1"),
       "f:5:6: flows.v: has no route; expected one of from and to, between or mesh"},
      {"two routes", flow("protocol: udp, port: 5600, from: d3, to: d4, mesh: [d3, d4]"),
       "f:5:6: flows.v: has more than one kind of route; expected one of from and to, between or "
       "mesh"},
      {"from only", flow("protocol: udp, port: 5600, from: d3"),
       "f:5:6: flows.v.to: is missing; expected who receives, as there is a from"},
      {"to only", flow("protocol: udp, port: 5600, to: d3"),
       "f:5:6: flows.v.from: is missing; expected who sends, as there is a to"},
      {"between scalar", flow("protocol: udp, port: 5600, between: d3"),
       "f:5:43: flows.v.between: is a single value; expected a list of two sides like [\"drone*\", "
       "ground]"},
      {"between 1", flow("protocol: udp, port: 5600, between: [d3]"),
       "f:5:43: flows.v.between: has 1 side; expected a list of two sides like [\"drone*\", "
       "ground]"},
      {"between 3", flow("protocol: udp, port: 5600, between: [d3, d4, g4]"),
       "f:5:43: flows.v.between: has 3 sides; expected a list of two sides like [\"drone*\", "
       "ground]"},
      {"between null", flow("protocol: udp, port: 5600, between: "),
       "f:5:34: flows.v.between: is empty; expected a list of two sides like [\"drone*\", ground]"},
      {"mesh empty", flow("protocol: udp, port: 5600, mesh: []"),
       "f:5:40: flows.v.mesh: is an empty list; expected at least one ID, group or pattern"},
      {"mesh null", flow("protocol: udp, port: 5600, mesh: "),
       "f:5:34: flows.v.mesh: is empty; expected an ID, a group or a pattern like \"drone*\""},
      {"mesh map", flow("protocol: udp, port: 5600, mesh: {}"),
       "f:5:40: flows.v.mesh: is a map; expected an ID, a group or a pattern like \"drone*\""},
      {"routes and from",
       flow("protocol: udp, port: 5600, from: d3, to: d4, routes: [{mesh: [d3, d4]}]"),
       "f:5:60: flows.v.routes: stands beside a route of the flow itself; expected all of them in "
       "this list"},
      {"routes empty", flow("protocol: udp, port: 5600, routes: []"),
       "f:5:42: flows.v.routes: is an empty list; expected a list of routes"},
      {"routes scalar", flow("protocol: udp, port: 5600, routes: d3"),
       "f:5:42: flows.v.routes: is a single value; expected a list of routes"},
      {"routes item scalar", flow("protocol: udp, port: 5600, routes: [d3]"),
       "f:5:43: flows.v.routes[0]: is a single value; expected a map with from, to, between, "
       "mesh or impair"},
      {"routes item key", flow("protocol: udp, port: 5600, routes: [{mesh: [d3, d4], port: 1}]"),
       "f:5:60: flows.v.routes[0].port: unknown key; expected from, to, between, mesh or impair"},
      {"routes item none", flow("protocol: udp, port: 5600, routes: [{}]"),
       "f:5:43: flows.v.routes[0]: has no route; expected one of from and to, between or mesh"},
      {"routes item two",
       flow("protocol: udp, port: 5600, routes: [{mesh: [d3, d4], from: d3, to: d4}]"),
       "f:5:43: flows.v.routes[0]: has more than one kind of route; expected one of from and to, "
       "between or mesh"},
      {"unknown id", flow("protocol: udp, port: 5600, from: d33, to: ground"),
       "f:5:40: flows.v.from: no client or group \"d33\" (did you mean d3?); expected one that is "
       "defined under clients or groups"},
      {"unknown far", flow("protocol: udp, port: 5600, from: submarine, to: ground"),
       "f:5:40: flows.v.from: no client or group \"submarine\"; expected one that is defined under "
       "clients or groups"},
      {"unknown group", flow("protocol: udp, port: 5600, from: d3, to: grund"),
       "f:5:48: flows.v.to: no client or group \"grund\" (did you mean ground?); expected one that "
       "is defined under clients or groups"},
      {"empty id", flow("protocol: udp, port: 5600, from: \"\", to: ground"),
       "f:5:40: flows.v.from: is an empty text; expected an ID, a group or a pattern like "
       "\"drone*\""},
      {"glob none", flow("protocol: udp, port: 5600, from: \"x*\", to: ground"),
       "f:5:40: flows.v.from: \"x*\" matches no client; expected a pattern that does"},
      {"selector nested", flow("protocol: udp, port: 5600, from: [[d3]], to: ground"),
       "f:5:41: flows.v.from[0]: is a list; expected an ID, a group or a pattern like \"drone*\""},
      {"selector map", flow("protocol: udp, port: 5600, from: {d3: {}}, to: ground"),
       "f:5:40: flows.v.from: is a map; expected an ID, a group or a pattern like \"drone*\""},
      {"same single", flow("protocol: udp, port: 5600, from: d3, to: d3"),
       "f:5:48: flows.v.to: d3 is alone on both sides; expected somebody else on one of them"},
      {"same single between", flow("protocol: udp, port: 5600, between: [g4, ground]"),
       "f:5:43: flows.v.between: g4 is alone on both sides; expected somebody else on one of them"},
      {"mesh alone", flow("protocol: udp, port: 5600, mesh: [d3]"),
       "f:5:40: flows.v.mesh: d3 is alone in this mesh; expected two clients or more"},
      {"deliver bad", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: 5600"),
       "f:5:61: flows.v.deliver: \"5600\" is not where an application can be reached; expected an "
       "address and port like 127.0.0.1:5600, or none"},
      {"deliver port 0", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: 127.0.0.1:0"),
       "f:5:61: flows.v.deliver: \"127.0.0.1:0\" is not where an application can be reached; "
       "expected an address and port like 127.0.0.1:5600, or none"},
      {"deliver any", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: 0.0.0.0:5600"),
       "f:5:61: flows.v.deliver: \"0.0.0.0:5600\" is not where an application can be reached; "
       "expected an address and port like 127.0.0.1:5600, or none"},
      {"deliver list", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: []"),
       "f:5:61: flows.v.deliver: is a list; expected an address and port like 127.0.0.1:5600, or "
       "none"},
      {"deliver id", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: {g5: none}"),
       "f:5:62: flows.v.deliver.g5: no client has this ID; expected one that receives here"},
      {"deliver sender", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: {d3: none}"),
       "f:5:62: flows.v.deliver.d3: receives nothing in this flow; expected a client that does"},
      {"deliver map bad",
       flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: {g4: nowhere}"),
       "f:5:66: flows.v.deliver.g4: \"nowhere\" is not where an application can be reached; "
       "expected an address and port like 127.0.0.1:5600, or none"},
      {"deliver map null", flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: {g4: }"),
       "f:5:62: flows.v.deliver.g4: is empty; expected an address and port like 127.0.0.1:5600, or "
       "none"},
      {"deliver group",
       flow("protocol: udp, port: 5600, from: d3, to: g4, deliver: {ground: none}"),
       "f:5:62: flows.v.deliver.ground: no client has this ID; expected one that receives here"},
      {"flow later key", flow("protocol: udp, port: 5600, from: d3, to: g4, colour: high"),
       "f:5:52: flows.v.colour: unknown key; expected protocol, port, from, to, between, mesh, "
       "routes, deliver, target, addressing, fanout, copy_buffer, proxy_protocol, self_join, "
       "p2p, priority, max_age, rate or impair"},
      {"flow near key", flow("protocol: udp, prot: 1, mesh: [d3, d4]"),
       "f:5:6: flows.v.port: is missing; expected a number from 1 to 65535\n"
       "f:5:22: flows.v.prot: unknown key (did you mean port?); expected protocol, port, from, to, "
       "between, mesh, routes, deliver, target, addressing, fanout, copy_buffer, proxy_protocol, "
       "self_join, p2p, priority, max_age, rate or impair"},
      {"port twice",
       kHead + "flows:\n  a: {protocol: udp, port: 9, from: d3, to: g4}\n  b: {protocol: udp, "
               "port: 9, from: d4, to: g4}\n",
       "f:6:28: flows.b.port: 9 is also the port of flow a on line 5, and g4 is in both; expected "
       "another port"},
      {"several",
       kHead + "flows:\n  a: {protocol: udp, port: x, from: d5, to: g4}\n  b: {protocol: udp, "
               "port: 9}\nserver2: 1\n",
       "f:5:28: flows.a.port: \"x\" is not a port; expected a number from 1 to 65535\n"
       "f:5:37: flows.a.from: no client or group \"d5\"; expected one that is defined under "
       "clients or groups\n"
       "f:6:6: flows.b: has no route; expected one of from and to, between or mesh\n"
       "f:7:1: server2: unknown key (did you mean server?); expected server, p2p, defaults, "
       "clients, groups, impairments or flows"},
      {"bad group is told once",
       "server: {addresses: [192.0.2.1]}\nclients: {d3: {}, d4: {}, g4: {}}\ngroups: {ground: "
       "[g9]}\nflows:\n  a: {protocol: udp, port: 1, from: d3, to: ground}\n",
       "f:3:19: groups.ground[0]: no client \"g9\"; expected one that is defined under clients"},
      {"unclosed single quote",
       kHead + "flows:\n  v:\n    protocol: udp\n    port: 1\n    to: d3\n    from: 'd4\n",
       "f:9:11: flows.v.from: \"d4 \" ends with a space (is its closing quote missing?); expected "
       "an ID, a group or a pattern like \"drone*\""},
  });
}

TEST(RoutesErrors, ShowTwentyAndCountTheRest) {
  std::string text = kHead + "flows: {}\n";
  for (int i = 0; i < 25; ++i) text.append("x").append(std::to_string(i)).append(": 1\n");
  const auto result = parse_routes(text, "f");
  const auto& errors = std::get<std::vector<ConfigError>>(result);
  ASSERT_EQ(errors.size(), 21U);
  EXPECT_EQ(errors[19].line, 24U);
  EXPECT_EQ(errors[20].to_string(), "f: and 5 more");
}

TEST(RoutesErrors, FileThatCannotBeRead) {
  const auto missing = load_routes("/nowhere/routes.yaml");
  EXPECT_EQ(std::get<1>(missing).front().to_string(),
            "/nowhere/routes.yaml: can't be read: No such file or directory; expected a file that "
            "this user may read");
  const auto directory = load_routes("/");
  EXPECT_EQ(std::get<1>(directory).front().to_string(),
            "/: can't be read: Is a directory; expected a file that this user may read");
}

}  // namespace
}  // namespace wormhole
