// yaml-cpp's events → tree. Events instead of YAML::Node: aliases are refused before they are
// expanded, depth before it is recursed into, and duplicate keys can be seen at all.
#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/error_list.hpp"
#include "config/yaml_tree.hpp"

namespace wormhole {

/// Thrown through yaml-cpp to stop it; the error has been added.
struct StopParsing {};

class YamlBuilder final : public YAML::EventHandler {
 public:
  explicit YamlBuilder(ErrorList& errors) : errors_(errors) {}

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

  /// The root; nothing when the text had no document.
  std::optional<YamlNode> take_root() { return std::move(root_); }
  /// Where the last event was, and the key path there.
  Place place() const { return place_; }
  std::string path() const;
  std::size_t nodes() const { return nodes_; }

 private:
  void refuse_extras(Place place, const std::string& tag, YAML::anchor_t anchor);
  void open(const YAML::Mark& mark, YamlNode::Kind kind);
  void close();
  void attach(YamlNode node);
  bool expects_key() const;
  void check_duplicates(const YamlNode& map);
  [[noreturn]] void stop(Place place, std::string message);

  ErrorList& errors_;
  std::vector<YamlNode> open_;  // containers from the root to here
  std::optional<YamlNode> root_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
  Place place_{1, 1};
};

}  // namespace wormhole
