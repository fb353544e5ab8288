// Texts before and after an edit, byte for byte.
#include "config/yaml_edit.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "config/document_json.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;

std::optional<YamlNode> tree_of(const std::string& text) {
  ErrorList errors("f");
  auto root = parse_yaml(text, errors);
  if (!root) ADD_FAILURE() << errors.take().front().to_string() << "\n" << text;
  return root;
}

/// The text after an edit that makes it read as `wanted`.
std::string edited(const std::string& before, const json::value& wanted) {
  const auto root = tree_of(before);
  if (!root) return "";
  const auto after = edit_yaml(before, *root, document_json(*root), wanted);
  if (!after) return "refused";
  const auto again = tree_of(*after);
  if (again) {
    EXPECT_EQ(document_json(*again), wanted) << *after;
  }
  return *after;
}

struct Row {
  const char* name;
  std::string before;
  const char* wanted;  ///< JSON of the whole text, with ' for "
  std::string after;
};

json::value from_single_quotes(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return json::parse(text);
}

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    EXPECT_EQ(edited(row.before, from_single_quotes(row.wanted)), row.after) << row.name;
  }
}

TEST(YamlEdit, SetsScalars) {
  check({
      {"plain", "a: x # c\nb: y\n", "{'a':'z','b':'y'}", "a: z # c\nb: y\n"},
      {"aligned", "port:      1\nb:         y\n", "{'port':22,'b':'y'}",
       "port:      22\nb:         y\n"},
      {"double quotes", "a: \"x \\\" # y\" # c\n", "{'a':'z'}", "a: z # c\n"},
      {"single quotes", "a: 'it''s # y'  # c\n", "{'a':'z'}", "a: z  # c\n"},
      {"over lines", "a: one\n  two\n  three # c\nb: y\n", "{'a':'z','b':'y'}", "a: z # c\nb: y\n"},
      {"quoted over lines", "a: \"one\n  two\"\nb: y\n", "{'a':'z','b':'y'}", "a: z\nb: y\n"},
      {"block scalar", "a: |-\n  one\n\n  two\nb: y\n", "{'a':'z','b':'y'}", "a: z\nb: y\n"},
      {"folded at the end", "b: y\na: >-\n  one\n", "{'a':'z','b':'y'}", "b: y\na: z\n"},
      {"on the next line", "a:\n  # c\n  x\nb: y\n", "{'a':'z','b':'y'}", "a:\n  # c\n  z\nb: y\n"},
      {"empty", "a:  # c\nb: y\n", "{'a':'z','b':'y'}", "a: z  # c\nb: y\n"},
      {"null word", "a: ~ # c\nb: null\n", "{'a':'z','b':'y'}", "a: z # c\nb: y\n"},
      {"to empty", "a: x # c\nb: y\n", "{'a':null,'b':'y'}", "a: # c\nb: y\n"},
      {"quoted key", "\"a\" : x\n", "{'a':'z'}", "\"a\" : z\n"},
      {"foreign line ends", "a: x\r\nb: y\r\n", "{'a':'z','b':'y','c':['d']}",
       "a: z\r\nb: y\r\nc: [d]\r\n"},
      {"byte order mark",
       "\xef\xbb\xbf"
       "a: x\nb: y\n",
       "{'a':'z'}",
       "\xef\xbb\xbf"
       "a: z\n"},
      {"in brackets", "a: {b: x, c: y} # c\n", "{'a':{'b':'z','c':'y'}}", "a: {b: z, c: y} # c\n"},
      {"empty in brackets", "a: {b: , c:, d}\n", "{'a':{'b':'x','c':'y','d':'z'}}",
       "a: {b: x, c: y, d: z}\n"},
      {"to empty in brackets", "a: {b: x}\n", "{'a':{'b':null}}", "a: {b: null}\n"},
      {"like JSON", "{\"a\":\"x\",\"b\":[\"y\"]}\n", "{'a':'z','b':['y','w']}",
       "{\"a\":z,\"b\":[\"y\", w]}\n"},
      {"behind a document mark", "---\na: x\n...\n", "{'a':'z','b':'y'}", "---\na: z\nb: y\n...\n"},
  });
}

TEST(YamlEdit, QuotesExactlyWhatNeedsIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"drone3", "drone3"},
      {"127.0.0.1:5600", "127.0.0.1:5600"},
      {"/var/lib/wormhole", "/var/lib/wormhole"},
      {"2000-2999", "2000-2999"},
      {"relay.example.org", "relay.example.org"},
      {"none", "none"},
      {"two words", "two words"},
      {"a:b", "a:b"},
      {"", "\"\""},
      {"drone*", "\"drone*\""},
      {"d?", "\"d?\""},
      {"*", "\"*\""},
      {"null", "\"null\""},
      {"~", "\"~\""},
      {"7", "\"7\""},
      {"007", "\"007\""},
      {"1.5", "\"1.5\""},
      {"1e3", "\"1e3\""},
      {"0x1f", "\"0x1f\""},
      {"1a", "1a"},
      {"1e", "1e"},
      {"::1", "\"::1\""},
      {"2001:db8::10", "\"2001:db8::10\""},
      {"[::1]:9", "\"[::1]:9\""},
      {"a: b", "\"a: b\""},
      {"a:", "\"a:\""},
      {"a #b", "\"a #b\""},
      {"-a", "\"-a\""},
      {" a", "\" a\""},
      {"a ", "\"a \""},
      {"a,b", "\"a,b\""},
      {"say \"x\\y\"", "\"say \\\"x\\\\y\\\"\""},
      {"a\nb\t", "\"a\\x0ab\\x09\""},
      {"\xc3\xa4", "\"\xc3\xa4\""},
  };
  for (const auto& [text, written] : cases) {
    const json::value wanted{{"a", text}, {"b", {text}}};
    EXPECT_EQ(edited("a: x\nb: [x]\n", wanted),
              std::string("a: ") + written + "\nb: [" + written + "]\n");
  }
}

TEST(YamlEdit, AddsKeys) {
  check({
      {"behind the last", "a:\n  b: x # c\n\n# of d\nd: y\n", "{'a':{'b':'x','e':'z'},'d':'y'}",
       "a:\n  b: x # c\n  e: z\n\n# of d\nd: y\n"},
      {"behind deeper comments", "a:\n  b:\n    c: x\n    # end of b\n  # of a\nd: y\n",
       "{'a':{'b':{'c':'x'},'e':'z'},'d':'y'}",
       "a:\n  b:\n    c: x\n    # end of b\n  e: z\n  # of a\nd: y\n"},
      {"at the end", "a: x\n", "{'a':'x','b':{'c':{}}}", "a: x\nb:\n  c: {}\n"},
      {"to {}", "a: {} # c\nb: y\n", "{'a':{'e':{}},'b':'y'}", "a: # c\n  e: {}\nb: y\n"},
      {"to an empty value", "a:\nb: y\n", "{'a':{'e':{}},'b':'y'}", "a:\n  e: {}\nb: y\n"},
      {"to an empty value deeper", "s:\n    f:  # c\n    g: y\n", "{'s':{'f':{'k':'v'},'g':'y'}}",
       "s:\n    f: {k: v}  # c\n    g: y\n"},
      {"in brackets", "a: {b: x}\n", "{'a':{'b':'x','c':['d','e*']}}",
       "a: {b: x, c: [d, \"e*\"]}\n"},
      {"in wide brackets", "a: { b: x }\n", "{'a':{'b':'x','c':'y'}}", "a: { b: x, c: y }\n"},
      {"in {} in brackets", "a: {b: {}}\n", "{'a':{'b':{'c':'y'}}}", "a: {b: {c: y}}\n"},
      {"in brackets over lines", "a: {\n  b: x, # c\n  d: y # e\n}\n",
       "{'a':{'b':'x','d':'y','f':'z'}}", "a: {\n  b: x, # c\n  d: y, # e\n  f: z\n}\n"},
      {"behind a comma at the end", "a: {\n  b: x,\n  d: y, # e\n  }\n",
       "{'a':{'b':'x','d':'y','f':'z'}}", "a: {\n  b: x,\n  d: y, # e\n  f: z,\n  }\n"},
      {"as its sibling", "s:\n  v:\n    port: 1\n",
       "{'s':{'v':{'port':1},'w':{'port':2,'to':'x'}}}",
       "s:\n  v:\n    port: 1\n  w:\n    port: 2\n    to: x\n"},
      {"with four spaces", "s:\n    v:\n        port: 1\n", "{'s':{'v':{'port':1},'w':{'port':2}}}",
       "s:\n    v:\n        port: 1\n    w:\n        port: 2\n"},
      {"two levels at once", "a:\n  b:\n    c: x\n",
       "{'a':{'b':{'c':'x','d':'y'},'e':'z'},'f':'w'}",
       "a:\n  b:\n    c: x\n    d: y\n  e: z\nf: w\n"},
      {"in an item", "r:\n  - from: a\n    to: b\n  - mesh: c\n",
       "{'r':[{'from':'a','to':'b','x':'y'},{'mesh':'c'}]}",
       "r:\n  - from: a\n    to: b\n    x: y\n  - mesh: c\n"},
  });
}

TEST(YamlEdit, RemovesKeys) {
  check({
      {"with its comments", "a: x\n# of b\nb:  # on b\n  # in b\n  c: y\n  # behind c\nd: z\n",
       "{'a':'x','d':'z'}", "a: x\n# of b\nd: z\n"},
      {"and the comment above, when the next has one", "a: x\n# of b\nb: y\n# of d\nd: z\n",
       "{'a':'x','d':'z'}", "a: x\n# of d\nd: z\n"},
      {"and the comment above, when blank lines follow", "a: x\n\n# of b\nb: y\n\nd: z\n",
       "{'a':'x','d':'z'}", "a: x\n\nd: z\n"},
      {"and the comment above the last", "a: x\n# of b\n# more\nb: y\n", "{'a':'x'}", "a: x\n"},
      {"but not a heading", "s:\n  # Drones\n  a: x\n  b: y\n", "{'s':{'b':'y'}}",
       "s:\n  # Drones\n  b: y\n"},
      {"but not a comment of another depth", "s:\n  a: x\n# of the file\n  b: y\n",
       "{'s':{'a':'x'}}", "s:\n  a: x\n# of the file\n"},
      {"all", "s: # c\n  # of a\n  a: x\n  b: y\nt: z\n", "{'s':{},'t':'z'}", "s: {} # c\nt: z\n"},
      {"all in brackets", "s: {a: x, b: y} # c\n", "{'s':{}}", "s: {} # c\n"},
      {"the first", "a: x\nb: y\n", "{'b':'y'}", "b: y\n"},
      {"the first of an item", "r:\n  - a: x # c\n    b: y # d\n", "{'r':[{'b':'y'}]}",
       "r:\n  - b: y # d\n"},
      {"some and add", "s:\n  a: x\n  b: y\n  c: z\n", "{'s':{'a':'x','d':'w'}}",
       "s:\n  a: x\n  d: w\n"},
      {"deep last and add", "s:\n  v:\n    a: x\n    b: y\nt: z\n",
       "{'s':{'v':{'a':'x'},'w':{}},'t':'z'}", "s:\n  v:\n    a: x\n  w: {}\nt: z\n"},
      {"first in brackets", "s: {a: x, b: y, c: z}\n", "{'s':{'b':'y','c':'z'}}",
       "s: {b: y, c: z}\n"},
      {"middle in brackets", "s: {a: x, b: y, c: z}\n", "{'s':{'a':'x','c':'z'}}",
       "s: {a: x, c: z}\n"},
      {"last in brackets", "s: {a: x, b: y, c: z}\n", "{'s':{'a':'x','b':'y'}}",
       "s: {a: x, b: y}\n"},
      {"two of three in brackets", "s: { a: x, b: y, c: z }\n", "{'s':{'a':'x'}}", "s: { a: x }\n"},
      {"first two in brackets", "s: {a: x, b: y, c: z}\n", "{'s':{'c':'z'}}", "s: {c: z}\n"},
      {"first in brackets over lines", "s: {\n  a: x, # c\n  # of b\n  b: y\n}\n",
       "{'s':{'b':'y'}}", "s: {\n  # of b\n  b: y\n}\n"},
      {"last in brackets over lines", "s: {\n  a: x, # c\n  # of b\n  b: y # d\n}\n",
       "{'s':{'a':'x'}}", "s: {\n  a: x # c\n  # of b\n}\n"},
      {"last in a hanging bracket", "s: {a: x,\n    b: y}\n", "{'s':{'a':'x'}}", "s: {a: x}\n"},
      {"last in brackets and add", "s: {\n  a: x,\n  b: y\n}\n", "{'s':{'a':'x','c':'z'}}",
       "s: {\n  a: x,\n  c: z\n}\n"},
      {"last and add on one line", "s: {a: x, b: y}\n", "{'s':{'a':'x','c':'z'}}",
       "s: {a: x, c: z}\n"},
  });
}

TEST(YamlEdit, ChangesLists) {
  check({
      {"append", "a: [x, y] # c\n", "{'a':['x','y','z']}", "a: [x, y, z] # c\n"},
      {"append to a comma", "a: [x, y,]\n", "{'a':['x','y','z']}", "a: [x, y, z,]\n"},
      {"append to lines", "a:\n  [\n    x,\n    y # c\n  ]\n", "{'a':['x','y','z']}",
       "a:\n  [\n    x,\n    y, # c\n    z\n  ]\n"},
      {"append to wrapped lines", "a: [x, y,\n    z, w]\n", "{'a':['x','y','z','w','v']}",
       "a: [x, y,\n    z, w, v]\n"},
      {"append to a hanging bracket", "a: [x,\n    y]\n", "{'a':['x','y','z']}",
       "a: [x,\n    y, z]\n"},
      {"in front", "a: [x, y]\n", "{'a':['z','x','y']}", "a: [z, x, y]\n"},
      {"within", "a: [x, y]\n", "{'a':['x','z','y']}", "a: [x, z, y]\n"},
      {"change one", "a: [x, y, z]\n", "{'a':['x','w','z']}", "a: [x, w, z]\n"},
      {"remove first", "a: [x, y, z]\n", "{'a':['y','z']}", "a: [y, z]\n"},
      {"remove first with blanks", "a: [ x, y, z ]\n", "{'a':['y','z']}", "a: [ y, z ]\n"},
      {"remove middle", "a: [x, y, z]\n", "{'a':['x','z']}", "a: [x, z]\n"},
      {"remove last", "a: [x, y, z]\n", "{'a':['x','y']}", "a: [x, y]\n"},
      {"remove around", "a: [x, y, z]\n", "{'a':['y']}", "a: [y]\n"},
      {"remove first and add", "a: [x, y, z]\n", "{'a':['y','z','w']}", "a: [y, z, w]\n"},
      {"remove all", "a: [x, y, z]\n", "{'a':[]}", "a: []\n"},
      {"fill", "a: []\n", "{'a':['x']}", "a: [x]\n"},
      {"wrapped, remove at the line's end", "a: [x, y,\n    z]\n", "{'a':['x','z']}",
       "a: [x,\n    z]\n"},
      {"wrapped, remove at the line's begin", "a: [x,\n    y, z]\n", "{'a':['x','z']}",
       "a: [x,\n    z]\n"},
      {"block append", "a:\n  - x # c\n  - y # d\nb: z\n", "{'a':['x','y','w'],'b':'z'}",
       "a:\n  - x # c\n  - y # d\n  - w\nb: z\n"},
      {"block without indentation", "a:\n- x\n- y\nb: z\n", "{'a':['x','y','w'],'b':'z'}",
       "a:\n- x\n- y\n- w\nb: z\n"},
      {"block in front", "a:\n  - x\n", "{'a':['w','x']}", "a:\n  - w\n  - x\n"},
      {"block within", "a:\n  - x\n  - y\n", "{'a':['x','w','y']}", "a:\n  - x\n  - w\n  - y\n"},
      {"block remove", "a:\n  - x # c\n  - y # d\n", "{'a':['y']}", "a:\n  - y # d\n"},
      {"block remove last", "a:\n  - x\n  - y # d\nb: z\n", "{'a':['x'],'b':'z'}",
       "a:\n  - x\nb: z\n"},
      {"block remove all", "a:\n  - x\nb: z\n", "{'a':[],'b':'z'}", "a: []\nb: z\n"},
      {"block change", "a:\n  - x # c\n  - y\n", "{'a':['w','y']}", "a:\n  - w # c\n  - y\n"},
      {"block empty item", "a:\n  - # c\n  - y\n", "{'a':['x','y']}", "a:\n  - x # c\n  - y\n"},
      {"maps in lists", "r:\n  - {from: a, to: b}\n  - {mesh: c}\n",
       "{'r':[{'from':'a','to':['b','d']},{'mesh':'c'},{'mesh':'e'}]}",
       "r:\n  - {from: a, to: [b, d]}\n  - {mesh: c}\n  - {mesh: e}\n"},
      {"block maps in lists", "r:\n  - from: a\n    to: b\n",
       "{'r':[{'from':'a','to':'b'},{'from':'c','to':'d'}]}",
       "r:\n  - from: a\n    to: b\n  - from: c\n    to: d\n"},
      {"remove a block map", "r:\n  - from: a\n    to: b\n  - mesh: c\n", "{'r':[{'mesh':'c'}]}",
       "r:\n  - mesh: c\n"},
      {"lists in lists", "b:\n  - - x\n    - y\n  - z\n", "{'b':[['x','y','w'],'z']}",
       "b:\n  - - x\n    - y\n    - w\n  - z\n"},
      {"lists in lists, remove first", "b:\n  - - x\n    - y\n  - z\n", "{'b':[['y'],'z']}",
       "b:\n  - - y\n  - z\n"},
      {"a pair without braces", "b: [x: y, z]\n", "{'b':[{'x':'w'},'z']}", "b: [{x: w}, z]\n"},
  });
}

TEST(YamlEdit, ReplacesValues) {
  std::string many_json;
  std::string many;
  for (char c = 'a'; c <= 'l'; ++c) {
    many_json += std::string(c == 'a' ? "" : ",") + "'client-" + c + "'";
    many += std::string("\n    - client-") + c;
  }
  check({
      {"a scalar becomes a list", "f:\n  to: drone3 # c\n", "{'f':{'to':['drone3','gcs5']}}",
       "f:\n  to: [drone3, gcs5] # c\n"},
      {"with its quotes", "f:\n  to: 'd*'\n", "{'f':{'to':['d*','gcs5']}}",
       "f:\n  to: ['d*', gcs5]\n"},
      {"in brackets", "f: {to: drone3, b: c}\n", "{'f':{'to':['drone3','gcs5'],'b':'c'}}",
       "f: {to: [drone3, gcs5], b: c}\n"},
      {"in a list", "between: [drone3, ground]\n", "{'between':[['drone3','gcs5'],'ground']}",
       "between: [[drone3, gcs5], ground]\n"},
      {"in a block list", "between:\n  - drone3\n  - ground\n",
       "{'between':['drone3',['ground','gcs5']]}", "between:\n  - drone3\n  - [ground, gcs5]\n"},
      {"a scalar becomes a map", "f:\n  deliver: none # c\n", "{'f':{'deliver':{'a':'none'}}}",
       "f:\n  deliver: {a: none} # c\n"},
      {"a block becomes a scalar",
       "f:\n  deliver: # c\n    # d\n    a: none # e\n    # f\n  p: q\n",
       "{'f':{'deliver':'none','p':'q'}}", "f:\n  deliver: none # c\n  p: q\n"},
      {"a block becomes empty", "f:\n  d:\n    a: x\n  p: q\n", "{'f':{'d':null,'p':'q'}}",
       "f:\n  d:\n  p: q\n"},
      {"a block becomes another", "f:\n  d:\n    a: x\n  p: q\n", "{'f':{'d':{'b':'y'},'p':'q'}}",
       "f:\n  d: {b: y}\n  p: q\n"},
      {"an item becomes a scalar", "r:\n  - a: x\n    b: y\n  - z\n", "{'r':['w','z']}",
       "r:\n  - w\n  - z\n"},
      {"long ones become blocks", "f:\n  to: x # c\n  p: q\n",
       ("{'f':{'to':[" + many_json + "],'p':'q'}}").c_str(), "f:\n  to: # c" + many + "\n  p: q\n"},
      {"brackets over lines become a block", "f:\n  to: [x,\n    y] # c\n  p: q\n",
       "{'f':{'to':{'a':'b'},'p':'q'}}", "f:\n  to: {a: b} # c\n  p: q\n"},
  });
}

}  // namespace
}  // namespace wormhole
