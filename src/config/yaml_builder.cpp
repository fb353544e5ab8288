#include "config/yaml_builder.hpp"

#include <algorithm>
#include <utility>

#include "config/key_path.hpp"

namespace wormhole {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

/// yaml-cpp says "?" for plain and "!" for quoted values that have no tag.
bool has_tag(const std::string& tag) { return !tag.empty() && tag != "?" && tag != "!"; }

}  // namespace

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ > 1) stop(place_of(mark), "a second YAML document; expected one");
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  YamlNode node;
  node.place = place_of(mark);
  refuse_extras(node.place, "", anchor);
  attach(std::move(node));
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  stop(place_of(mark), "an alias (*); expected the value itself");
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.quoted = tag == "!";
  node.place = place_of(mark);
  node.text = value;
  refuse_extras(node.place, tag, anchor);
  attach(std::move(node));
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  refuse_extras(place_of(mark), tag, anchor);
  open(mark, YamlNode::Kind::kList);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  refuse_extras(place_of(mark), tag, anchor);
  open(mark, YamlNode::Kind::kMap);
}

void YamlBuilder::OnMapEnd() {
  check_duplicates(open_.back());
  close();
}

std::string YamlBuilder::path() const {
  std::string path;
  for (const auto& node : open_) {
    const auto count = node.children.size();
    if (node.kind == YamlNode::Kind::kList) path = path_of(path, count);
    // An odd count: the last child is a key whose value is being read.
    if (node.kind == YamlNode::Kind::kMap && count % 2 == 1) {
      path = path_of(path, node.children.back().text);
    }
  }
  return path;
}

void YamlBuilder::refuse_extras(Place place, const std::string& tag, YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor) {
    errors_.add(place, path(), "an anchor (&); expected the value without it");
  }
  if (has_tag(tag)) {
    errors_.add(place, path(), "a tag (!); expected the value without it");
  }
}

void YamlBuilder::open(const YAML::Mark& mark, YamlNode::Kind kind) {
  const auto place = place_of(mark);
  if (expects_key())
    stop(place, "a list or a map as a key; expected a name (is a bracket not closed?)");
  if (open_.size() == kMaxConfigDepth) stop(place, "nested more than 16 deep; expected less");
  YamlNode node;
  node.kind = kind;
  node.place = place;
  open_.push_back(std::move(node));
  place_ = place;
}

void YamlBuilder::close() {
  auto node = std::move(open_.back());
  open_.pop_back();
  attach(std::move(node));
}

void YamlBuilder::attach(YamlNode node) {
  if (++nodes_ > kMaxYamlNodes) stop(node.place, "more than 524288 values; expected less");
  place_ = node.place;
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  if (expects_key() && node.kind != YamlNode::Kind::kScalar) {
    stop(node.place, "an empty key; expected a name");
  }
  auto& siblings = open_.back().children;
  const bool is_value = open_.back().kind == YamlNode::Kind::kMap && siblings.size() % 2 == 1;
  // yaml-cpp's versions differ in where they see a value that is not there.
  if (is_value && node.kind == YamlNode::Kind::kNull) node.place = siblings.back().place;
  siblings.push_back(std::move(node));
}

bool YamlBuilder::expects_key() const {
  return !open_.empty() && open_.back().kind == YamlNode::Kind::kMap &&
         open_.back().children.size() % 2 == 0;
}

void YamlBuilder::check_duplicates(const YamlNode& map) {
  std::vector<const YamlNode*> keys;
  for (std::size_t i = 0; i < map.children.size(); i += 2) keys.push_back(&map.children[i]);
  std::stable_sort(keys.begin(), keys.end(),
                   [](const YamlNode* a, const YamlNode* b) { return a->text < b->text; });
  for (std::size_t i = 1; i < keys.size(); ++i) {
    if (keys[i]->text != keys[i - 1]->text) continue;
    errors_.add(keys[i]->place, path_of(path(), keys[i]->text),
                "this key is already on line " + std::to_string(keys[i - 1]->place.line) +
                    "; expected it once");
  }
}

void YamlBuilder::stop(Place place, std::string message) {
  errors_.add(place, path(), std::move(message));
  throw StopParsing{};
}

}  // namespace wormhole
