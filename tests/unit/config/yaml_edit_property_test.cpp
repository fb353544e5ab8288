// Random texts, random edits: they say what was asked for, and lines that have nothing to do with
// the edit are there as they were.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "config/document_json.hpp"
#include "config/yaml_edit.hpp"
#include "config/yaml_writer.hpp"
#include "unit/config/random_yaml.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using test::JsonPath;
using test::Lines;
using test::RandomYaml;

/// An edit, and the lines of the text that it may touch.
struct Edit {
  std::string what;
  json::value wanted;
  std::vector<bool> touched;
};

struct Reference {
  JsonPath path;
  json::value* container;  ///< nullptr: the root
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at + 1));
    at = end + 1;
  }
  return lines;
}

class EditMaker {
 public:
  EditMaker(const RandomYaml& yaml, Rng& rng)
      : yaml_(yaml),
        rng_(rng),
        edit_{"", yaml.value, {}},
        lines_(lines_of(yaml.text)),
        touched_(lines_.size()) {}

  Edit make() {
    collect({}, edit_.wanted);
    switch (rng_.below(3)) {
      case 0:
        set();
        break;
      case 1:
        remove();
        break;
      default:
        add();
    }
    edit_.touched = touched_;
    return edit_;
  }

 private:
  void collect(const JsonPath& path, json::value& value) {
    const auto enter = [&](const std::string& key, json::value& child) {
      auto inner = path;
      inner.push_back(key);
      entries_.push_back({inner, &value});
      collect(inner, child);
    };
    if (value.is_object() || value.is_array()) containers_.push_back({path, &value});
    if (auto* map = value.if_object()) {
      for (auto& [key, child] : *map) enter(std::string(key), child);
    } else if (auto* list = value.if_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) enter(std::to_string(i), (*list)[i]);
    }
  }

  /// Nowhere for what an earlier edit has made.
  Lines lines_at(const JsonPath& path) const {
    const auto found = yaml_.lines.find(path);
    return found == yaml_.lines.end() ? Lines{} : found->second;
  }
  void touch(std::size_t first, std::size_t last) {
    for (auto i = first; i <= last && i < touched_.size(); ++i) touched_[i] = true;
  }
  void touch_entry(const JsonPath& path) {
    if (path.empty()) return touch(0, touched_.size());
    const auto lines = lines_at(path);
    touch(lines.first, lines.last);
    touch_below(lines.last);
  }

  /// The entries before and behind `key` in its container, whose commas an edit may need.
  void touch_neighbours(const JsonPath& container, const std::vector<std::string>& keys,
                        std::size_t at) {
    const auto line_of = [&](std::size_t i) {
      auto path = container;
      path.push_back(keys[i]);
      return lines_at(path);
    };
    const auto whole = lines_at(container);
    touch(at == 0 ? whole.first : line_of(at - 1).first,
          at + 1 >= keys.size() ? whole.last : line_of(at + 1).last);
  }

  static std::vector<std::string> keys_of(const json::value& container) {
    std::vector<std::string> keys;
    if (const auto* map = container.if_object()) {
      for (const auto& entry : *map) keys.emplace_back(entry.key());
    } else {
      for (std::size_t i = 0; i < container.get_array().size(); ++i) {
        keys.push_back(std::to_string(i));
      }
    }
    return keys;
  }

  static json::value& child(json::value& container, const std::string& key) {
    if (auto* map = container.if_object()) return (*map)[key];
    return container.get_array()[std::stoul(key)];
  }

  const Reference& pick(const std::vector<Reference>& from) {
    return from[rng_.below(static_cast<std::uint32_t>(from.size()))];
  }

  void set() {
    const auto& entry = pick(entries_);
    name("set", entry.path);
    touch_entry(entry.path);
    auto& value = child(*entry.container, entry.path.back());
    // The one key with numbers takes no text.
    value = entry.path.back() == "port" ? json::value(std::uint64_t{7})
                                        : test::random_new_value(rng_, 1, 2);
    if (value.is_string() && rng_.below(6) == 0) value = nullptr;
  }

  void remove() {
    const auto entry = pick(entries_);
    name("remove", entry.path);
    const JsonPath parent(entry.path.begin(), entry.path.end() - 1);
    const auto keys = keys_of(*entry.container);
    const auto at = static_cast<std::size_t>(
        std::find(keys.begin(), keys.end(), entry.path.back()) - keys.begin());
    if (keys.size() == 1) {
      touch_entry(parent);
    } else if (lines_at(entry.path).in_brackets) {
      touch_neighbours(parent, keys, at);
    } else {
      touch_entry(entry.path);
      touch_above(lines_at(entry.path).first);
      // Behind a dash, the next entry moves up to the place of this one.
      if (at == 0 && lines_at(entry.path).first == lines_at(parent).first) {
        touch_neighbours(parent, keys, at);
      }
    }
    if (auto* map = entry.container->if_object()) {
      map->stable_erase(map->find(entry.path.back()));
    } else {
      auto& list = entry.container->get_array();
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }

  /// Blank lines and comments above an entry.
  void touch_above(std::size_t line) {
    while (line > 0 && (is_comment(line - 1) || is_blank(line - 1))) touched_[--line] = true;
  }
  /// Comments directly below an entry, which may belong to it or to what it is in.
  void touch_below(std::size_t line) {
    while (line + 1 < lines_.size() && is_comment(line + 1)) touched_[++line] = true;
  }
  bool is_blank(std::size_t line) const {
    return lines_[line].find_first_not_of(" \r\n") == std::string::npos;
  }
  bool is_comment(std::size_t line) const {
    return !is_blank(line) && lines_[line][lines_[line].find_first_not_of(' ')] == '#';
  }

  void add() {
    const auto container = pick(containers_);
    name("add to", container.path);
    const auto keys = keys_of(*container.container);
    auto* list = container.container->if_array();
    const auto at =
        list == nullptr ? keys.size() : rng_.below(static_cast<std::uint32_t>(keys.size() + 1));
    if (keys.empty()) {
      touch_entry(container.path);
    } else if (is_in_brackets(container.path, keys.front())) {
      touch_neighbours(container.path, keys, std::min(at, keys.size() - 1));
      if (at > 0) touch_neighbours(container.path, keys, at - 1);
    } else if (list != nullptr && at == 0) {
      touch_first_behind_dash(container.path);
    }
    auto value = test::random_new_value(rng_, 2, 2);
    if (list == nullptr) {
      container.container->get_object()["new*key"] = std::move(value);
    } else {
      list->insert(list->begin() + static_cast<std::ptrdiff_t>(at), std::move(value));
    }
  }

  /// A new first item takes the place of the old one behind the dash of the list itself.
  void touch_first_behind_dash(JsonPath list) {
    const auto first = lines_at(list).first;
    list.emplace_back("0");
    if (lines_at(list).first == first) touch(first, first);
  }

  bool is_in_brackets(JsonPath path, const std::string& key) const {
    path.push_back(key);
    return lines_at(path).in_brackets;
  }

  void name(const char* verb, const JsonPath& path) {
    edit_.what = verb;
    for (const auto& key : path) edit_.what += " / " + key;
  }

  const RandomYaml& yaml_;
  Rng& rng_;
  Edit edit_;
  std::vector<std::string> lines_;
  std::vector<bool> touched_;
  std::vector<Reference> entries_;
  std::vector<Reference> containers_;
};

/// The first line that is not touched and not there afterwards, in order.
std::optional<std::string> lost_line(const std::string& before, const std::string& after,
                                     const std::vector<bool>& touched) {
  const auto there = lines_of(after);
  std::size_t at = 0;
  const auto lines = lines_of(before);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (touched[i]) continue;
    while (at < there.size() && there[at] != lines[i]) ++at;
    if (at++ == there.size()) return lines[i];
  }
  return std::nullopt;
}

json::value json_of(const std::string& text) {
  ErrorList errors("f");
  const auto root = parse_yaml(text, errors);
  return root ? document_json(*root) : json::value("no YAML: " + errors.take().front().message);
}

std::optional<std::string> edited(const std::string& text, const json::value& before,
                                  const json::value& wanted) {
  ErrorList errors("f");
  const auto root = parse_yaml(text, errors);
  return root ? edit_yaml(text, *root, before, wanted) : std::nullopt;
}

TEST(YamlEditProperty, TheTextIsWhatItsGeneratorSays) {
  SeededRng rng(1);
  for (int i = 0; i < 300; ++i) {
    const auto yaml = test::random_yaml(rng);
    ASSERT_EQ(json_of(yaml.text), yaml.value) << yaml.text;
  }
}

TEST(YamlEditProperty, OneEditTouchesItsLinesOnly) {
  SeededRng rng(2);
  for (int i = 0; i < 3000; ++i) {
    const auto yaml = test::random_yaml(rng);
    const auto edit = EditMaker(yaml, rng).make();
    const auto after = edited(yaml.text, yaml.value, edit.wanted);
    ASSERT_TRUE(after.has_value()) << i << ": " << edit.what << "\n" << yaml.text;
    ASSERT_EQ(json_of(*after), edit.wanted) << i << ": " << edit.what << "\n"
                                            << yaml.text << "\n=>\n"
                                            << *after;
    const auto lost = lost_line(yaml.text, *after, edit.touched);
    ASSERT_FALSE(lost.has_value()) << i << ": " << edit.what << "\nlost " << *lost << "in\n"
                                   << yaml.text << "\n=>\n"
                                   << *after;
  }
}

TEST(YamlEditProperty, ManyEditsSayWhatWasAskedFor) {
  SeededRng rng(3);
  for (int i = 0; i < 300; ++i) {
    auto yaml = test::random_yaml(rng);
    // As another document altogether, and back.
    const auto other = test::random_yaml(rng);
    const auto there = edited(yaml.text, yaml.value, other.value);
    ASSERT_TRUE(there.has_value()) << i << "\n" << yaml.text << "\n" << other.value;
    ASSERT_EQ(json_of(*there), other.value) << i << "\n" << yaml.text << "\n=>\n" << *there;
    const auto back = edited(*there, other.value, yaml.value);
    ASSERT_TRUE(back.has_value()) << i << "\n" << *there;
    ASSERT_EQ(json_of(*back), yaml.value) << i << "\n" << *there << "\n=>\n" << *back;
  }
}

TEST(YamlEditProperty, SeveralEditsAtOnce) {
  SeededRng rng(4);
  for (int i = 0; i < 2000; ++i) {
    const auto yaml = test::random_yaml(rng);
    auto wanted = yaml;
    for (auto edits = 2 + rng.below(4); edits > 0 && has_entries(wanted.value); --edits) {
      wanted.value = EditMaker(wanted, rng).make().wanted;
    }
    const auto after = edited(yaml.text, yaml.value, wanted.value);
    ASSERT_TRUE(after.has_value()) << i << "\n" << yaml.text << "\n" << wanted.value;
    ASSERT_EQ(json_of(*after), wanted.value) << i << "\n" << yaml.text << "\n=>\n" << *after;
  }
}

}  // namespace
}  // namespace wormhole
