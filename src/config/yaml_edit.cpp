#include "config/yaml_edit.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "config/list_match.hpp"
#include "config/text_changes.hpp"
#include "config/yaml_block.hpp"
#include "config/yaml_flow.hpp"
#include "config/yaml_layout.hpp"
#include "config/yaml_writer.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using Kind = YamlNode::Kind;

/// Line ends as in the first line, indentation as of the first block below the root.
YamlStyle style_of(std::string_view text, const YamlLayout& root, const TextChanges& lines) {
  const auto first = text.find('\n');
  const bool dos = first != text.npos && first > 0 && text[first - 1] == '\r';
  YamlStyle style{dos ? "\r\n" : "\n"};
  for (const auto& section : root.children) {
    if (!section.is_block() || section.node->kind != Kind::kMap) continue;
    const auto deeper = lines.column(section.begin) - lines.column(section.entry);
    style.step = std::clamp<std::size_t>(deeper, 1, 8);
    break;
  }
  return style;
}

bool has_common_key(const json::object& a, const json::object& b) {
  return std::any_of(a.begin(), a.end(),
                     [&b](const auto& entry) { return b.contains(entry.key()); });
}

class Editor {
 public:
  Editor(std::string_view text, const YamlLayout& root)
      : root_(root), changes_(text), style_(style_of(text, root, changes_)) {}

  void revise(const YamlLayout& at, const json::value& before, const json::value& after,
              const YamlLayout* parent) {
    if (before == after) return;
    const bool entries = has_entries(before) && has_entries(after) && !at.bare;
    if (entries && before.is_object() && after.is_object() &&
        has_common_key(before.get_object(), after.get_object())) {
      revise_map(at, before.get_object(), after.get_object());
    } else if (entries && before.is_array() && after.is_array()) {
      revise_list(at, before.get_array(), after.get_array());
    } else if (parent == nullptr) {
      replace_root(after);
    } else if (becomes_list_around(at, before, after, *parent)) {
      surround(at, after.get_array());
    } else if (parent->flow) {
      replace_in_brackets(at, after, *parent);
    } else {
      replace_in_block(at, after, *parent);
    }
  }

  std::optional<std::string> apply() { return changes_.apply(); }

 private:
  void revise_map(const YamlLayout& at, const json::object& before, const json::object& after) {
    std::vector<bool> removed(at.children.size());
    for (std::size_t i = 0; i < removed.size(); ++i) {
      const auto& key = at.key(i).text;
      const auto* wanted = after.if_contains(key);
      removed[i] = wanted == nullptr;
      if (wanted != nullptr) revise(at.children[i], before.at(key), *wanted, &at);
    }
    std::vector<json::object::const_iterator> added;
    for (auto entry = after.begin(); entry != after.end(); ++entry) {
      if (!before.contains(entry->key())) added.push_back(entry);
    }
    const auto last = static_cast<std::size_t>(
        std::find(removed.rbegin(), removed.rend(), false).base() - removed.begin() - 1);
    if (at.flow) {
      FlowPlan plan{removed, {}, std::vector<std::vector<std::string>>(removed.size())};
      for (const auto& entry : added) {
        plan.following[last].push_back(yaml_text(entry->key()) + ": " +
                                       yaml_inline(entry->value()));
      }
      edit_flow_entries(changes_, at, plan, style_.newline);
      return;
    }
    // What comes has its place in front of what goes.
    for (const auto& entry : added) add_key(at, at.children[last], entry->key(), entry->value());
    remove_block_entries(changes_, at, removed);
  }

  void add_key(const YamlLayout& map, const YamlLayout& sibling, std::string_view name,
               const json::value& value) {
    const auto column = changes_.column(map.begin);
    const auto key = yaml_text(name);
    // Sections are blocks; other values are written as their sibling is.
    const bool block = (&map == &root_ && value.is_object()) || is_block_like(sibling, value);
    changes_.insert(block_entry_end(changes_, sibling),
                    style_.newline + std::string(column, ' ') + key + ":" +
                        yaml_after_colon(value, column, key.size(), block, style_));
  }

  static bool is_block_like(const YamlLayout& sibling, const json::value& value) {
    const auto kind = value.is_object() ? Kind::kMap : Kind::kList;
    return has_entries(value) && sibling.is_block() && sibling.node->kind == kind;
  }

  void revise_list(const YamlLayout& at, const json::array& before, const json::array& after) {
    const auto steps = match_lists(before, after);
    std::vector<bool> removed(at.children.size());
    for (const auto& step : steps) {
      if (step.before && step.after) {
        revise(at.children[*step.before], before[*step.before], after[*step.after], &at);
      } else if (step.before) {
        removed[*step.before] = true;
      }
    }
    if (at.flow) {
      edit_flow_list(at, after, steps, removed);
    } else {
      add_block_items(at, after, steps);
      remove_block_entries(changes_, at, removed);
    }
  }

  void edit_flow_list(const YamlLayout& at, const json::array& after,
                      const std::vector<ListStep>& steps, std::vector<bool> removed) {
    FlowPlan plan{std::move(removed), {}, {}};
    plan.following.resize(plan.removed.size());
    auto* place = &plan.first;
    for (const auto& step : steps) {
      if (step.before && step.after) place = &plan.following[*step.before];
      if (!step.before) place->push_back(yaml_inline(after[*step.after]));
    }
    edit_flow_entries(changes_, at, plan, style_.newline);
  }

  void add_block_items(const YamlLayout& at, const json::array& after,
                       const std::vector<ListStep>& steps) {
    const auto column = changes_.column(at.begin);
    const auto line = style_.newline + std::string(column, ' ');
    const YamlLayout* above = nullptr;
    for (const auto& step : steps) {
      if (step.before && step.after) above = &at.children[*step.before];
      if (step.before) continue;
      const auto& value = after[*step.after];
      const auto& sibling = above != nullptr ? *above : at.children.front();
      std::string item(1, '-');
      item += yaml_after_dash(value, column, is_block_like(sibling, value), style_);
      if (above != nullptr) {
        changes_.insert(block_entry_end(changes_, *above), line + item);
      } else {
        changes_.insert(at.children.front().entry, item + line);
      }
    }
  }

  /// `to: drone3` on its way to `to: [drone3, gcs5]`.
  bool becomes_list_around(const YamlLayout& at, const json::value& before,
                           const json::value& after, const YamlLayout& parent) const {
    const auto written = changes_.text().substr(at.begin, at.end - at.begin);
    // A block scalar, and what is plain here but would not be in brackets.
    if (!before.is_string() || written.find_first_of("|>\n,[]{}") != written.npos) return false;
    const auto* list = after.if_array();
    if (list == nullptr || list->empty() || list->front() != before) return false;
    const auto width = changes_.column(at.begin) + yaml_inline(after).size();
    return parent.flow || width <= kMaxYamlColumns;
  }

  void surround(const YamlLayout& at, const json::array& after) {
    changes_.insert(at.begin, "[");
    std::string more;
    for (std::size_t i = 1; i < after.size(); ++i) more += ", " + yaml_inline(after[i]);
    changes_.insert(at.end, more + "]");
  }

  void replace_root(const json::value& after) {
    const bool lines = has_entries(after);
    changes_.replace(root_.begin, root_.end,
                     lines ? yaml_lines(after, 0, style_) : yaml_inline(after));
  }

  void replace_in_brackets(const YamlLayout& at, const json::value& after,
                           const YamlLayout& parent) {
    const auto written = yaml_inline(after);
    if (at.begin != at.end) {
      changes_.replace(at.begin, at.end, written);
      return;
    }
    std::string_view lead;
    if (parent.node->kind == Kind::kMap && !at.colon) lead = ": ";
    if (parent.node->kind == Kind::kMap && at.colon && at.begin == at.head) lead = " ";
    changes_.insert(at.begin, std::string(lead).append(written));
  }

  void replace_in_block(const YamlLayout& at, const json::value& after, const YamlLayout& parent) {
    const auto column = changes_.column(at.entry);
    if (parent.node->kind == Kind::kList) {
      const auto written = yaml_after_dash(after, column, false, style_);
      replace_item(at, after, written);
      return;
    }
    const bool section = &parent == &root_ && after.is_object();
    const auto written = yaml_after_colon(after, column, at.head - 1 - at.entry, section, style_);
    if (written.starts_with(style_.newline)) {
      replace_by_lines(at, written);
    } else {
      replace_on_line(at, after, written);
    }
  }

  void replace_item(const YamlLayout& at, const json::value& after, const std::string& written) {
    const bool plain_place = !at.is_block() && at.begin != at.end && !has_entries(after);
    if (plain_place && !after.is_null()) {
      changes_.replace(at.begin, at.end, written.substr(1));
    } else {
      changes_.replace(at.head, at.end, written);
    }
  }

  /// A value of a key becomes a block below it.
  void replace_by_lines(const YamlLayout& at, const std::string& written) {
    const bool below = at.begin != at.end && !changes_.same_line(at.head, at.begin);
    if (at.is_block()) {
      changes_.replace(changes_.line_end(at.head), block_entry_end(changes_, at), written);
    } else if (below) {
      changes_.replace(changes_.line_end(at.head), at.end, written);
    } else {
      changes_.remove(at.head, at.end);
      changes_.insert(changes_.line_end(at.end), written);
    }
  }

  /// A value of a key becomes one that takes no line of its own; `written` is "" for null.
  void replace_on_line(const YamlLayout& at, const json::value& after, const std::string& written) {
    if (at.is_block()) {
      changes_.insert(at.head, written);
      changes_.remove(changes_.line_end(at.head), block_entry_end(changes_, at));
    } else if (at.begin == at.end || after.is_null()) {
      changes_.replace(at.head, at.end, written);
    } else {
      changes_.replace(at.begin, at.end, written.substr(1));
    }
  }

  const YamlLayout& root_;
  TextChanges changes_;
  YamlStyle style_;
};

}  // namespace

std::optional<std::string> edit_yaml(std::string_view text, const YamlNode& root,
                                     const json::value& before, const json::value& after) {
  const auto layout = lay_out(text, root);
  Editor editor(text, layout);
  editor.revise(layout, before, after, nullptr);
  return editor.apply();
}

}  // namespace wormhole
