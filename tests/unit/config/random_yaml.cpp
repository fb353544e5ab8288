#include "unit/config/random_yaml.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace wormhole::test {
namespace {

namespace json = boost::json;

std::string escape_double(const std::string& text) {
  std::string quotes = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quotes += '\\';
    quotes += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return quotes + "\"";
}

std::string escape_single(const std::string& text) {
  std::string quotes = "'";
  for (const char c : text) quotes += c == '\'' ? std::string("''") : std::string(1, c);
  return quotes + "'";
}

/// Names and words: may stand plain everywhere.
bool is_simple(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ") == text.npos &&
         text != "null" && text.front() != ' ' && text.front() != '-' && text.back() != ' ';
}

class Values {
 public:
  explicit Values(Rng& rng) : rng_(rng) {}

  json::value map(std::size_t depth) {
    json::object map;
    for (auto count = 1 + rng_.below(4); count > 0; --count) {
      const auto key = std::string(rng_.below(8) == 0 ? "a key* " : "k").append(number());
      map[key] = value(depth, true);
    }
    if (rng_.below(4) == 0) map["port"] = std::uint64_t{1} + rng_.below(65535);
    return map;
  }

 private:
  std::string number() { return std::to_string(++count_); }

  json::value list(std::size_t depth) {
    json::array list;
    for (auto count = 1 + rng_.below(4); count > 0; --count) {
      list.push_back(value(depth, list.empty()));
    }
    return list;
  }

  json::value value(std::size_t depth, bool may_be_empty) {
    const auto kind = rng_.below(10);
    if (kind < 2 && depth > 0) return map(depth - 1);
    if (kind < 4 && depth > 0) return list(depth - 1);
    if (kind == 4 && may_be_empty) return empty();
    return json::value(text());
  }

  json::value empty() {
    switch (rng_.below(5)) {
      case 0:
        return nullptr;
      case 1:
        return json::object();
      case 2:
        return json::array();
      case 3:
        return json::value("");
      default:
        return json::value("null");
    }
  }

  std::string text() {
    static constexpr const char* kForms[] = {
        "n%",    "n%",     "n%",        "two words %", "drone%*",   "%: b",
        "% # b", "it's %", "say \"%\"", "127.0.0.1:%", "::%",       "%",
        "[%]",   "a,%",    "n%\\tail",  "n%\nmore",    "\xc3\xa4%", "% - a",
        "- %",   "? %",    "%:",        "& %",         "@%",        "n% three words more"};
    std::string form = kForms[rng_.below(std::size(kForms))];
    return form.replace(form.find('%'), 1, number());
  }

  Rng& rng_;
  std::size_t count_ = 0;
};

class Writer {
 public:
  explicit Writer(Rng& rng) : rng_(rng), newline_(rng.below(8) == 0 ? "\r\n" : "\n") {}

  RandomYaml write(json::value value) {
    if (chance(4)) add_line("# head");
    block_map(value.get_object(), 0, false);
    if (chance(4)) comments(0);
    std::string text;
    for (const auto& line : done_) text += line + newline_;
    return {std::move(value), std::move(text), std::move(lines_)};
  }

 private:
  bool chance(std::uint32_t one_in) { return rng_.below(one_in) == 0; }
  std::string comment(std::size_t column = 0) {
    return std::string(column, ' ').append("# c").append(std::to_string(++comment_count_));
  }
  void add_line(const std::string& line) { done_.push_back(line); }
  void start_line(std::size_t column) { line_ = std::string(column, ' '); }
  void end_line(bool may_have_comment = true) {
    if (may_have_comment && chance(5)) line_ += "  " + comment();
    add_line(line_);
  }
  void comments(std::size_t column) {
    while (chance(6)) add_line("");
    while (chance(5)) add_line(comment(column));
    while (chance(9)) add_line("");
  }

  /// `here`: the first entry stands on the line that is being written.
  void block_map(const json::object& map, std::size_t column, bool here) {
    for (const auto& [key, value] : map) {
      if (!here) {
        comments(column);
        start_line(column);
      }
      here = false;
      path_.push_back(key);
      const auto first = done_.size();
      line_ += key_text(key) + (chance(12) ? " :" : ":");
      after_colon(value, column);
      finish_entry(first, column, value);
    }
  }

  void block_list(const json::array& list, std::size_t column, bool here) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!here) {
        comments(column);
        start_line(column);
      }
      here = false;
      path_.push_back(std::to_string(i));
      const auto first = done_.size();
      line_ += "-";
      after_dash(list[i], column);
      finish_entry(first, column, list[i]);
    }
  }

  void finish_entry(std::size_t first, std::size_t column, const json::value&) {
    // Behind a block scalar it would be text.
    if (!block_scalar_ && chance(10)) add_line(comment(column + 1));
    block_scalar_ = false;
    lines_[path_] = {first, done_.size() - 1, false};
    path_.pop_back();
  }

  std::string key_text(std::string_view key) {
    const std::string text(key);
    if (is_simple(text) && !chance(8)) return text;
    return chance(2) ? escape_double(text) : escape_single(text);
  }

  void after_colon(const json::value& value, std::size_t column) {
    if (const auto* map = value.if_object(); map != nullptr && !map->empty() && chance(2)) {
      end_line();
      block_map(*map, column + 1 + rng_.below(4), false);
    } else if (const auto* list = value.if_array();
               list != nullptr && !list->empty() && chance(2)) {
      end_line();
      block_list(*list, column + (chance(3) ? 0 : 2), false);
    } else {
      on_line(value, column);
    }
  }

  void after_dash(const json::value& value, std::size_t column) {
    const auto* map = value.if_object();
    const auto* list = value.if_array();
    const bool filled = (map != nullptr && !map->empty()) || (list != nullptr && !list->empty());
    if (!filled || chance(2)) return on_line(value, column);
    const bool here = !chance(4);
    if (here) {
      line_ += " ";
    } else {
      end_line();
    }
    if (map != nullptr) return block_map(*map, column + 2, here);
    block_list(*list, column + 2, here);
  }

  void on_line(const json::value& value, std::size_t column) {
    if (value.is_null()) {
      if (chance(2)) line_ += chance(2) ? " ~" : " null";
      return end_line();
    }
    if (value.is_string() && chance(8) && block_scalar(std::string(value.get_string()), column)) {
      return;
    }
    if (value.is_string() && chance(8)) {
      end_line();
      start_line(column + 2);
    } else {
      line_ += std::string(1 + (chance(6) ? rng_.below(5) : 0), ' ');
    }
    flow(value, column + 1, false);
    end_line();
  }

  bool block_scalar(const std::string& text, std::size_t column) {
    if (text.empty() || text.front() == ' ' || text.find('\n') != text.npos) return false;
    line_ += chance(2) ? " |-" : " >-";
    add_line(line_);
    add_line(std::string(column + 2, ' ').append(text));
    block_scalar_ = true;
    return true;
  }

  void flow(const json::value& value, std::size_t column, bool in_brackets) {
    if (value.is_null()) {
      line_ += chance(2) ? "~" : "null";
    } else if (value.is_uint64()) {
      line_ += std::to_string(value.get_uint64());
    } else if (value.is_string()) {
      scalar(std::string(value.get_string()), column, in_brackets);
    } else if (value.is_array()) {
      flow_list(value.get_array(), column);
    } else {
      flow_map(value.get_object(), column);
    }
  }

  void scalar(const std::string& text, std::size_t column, bool in_brackets) {
    // Digits alone are text, too, wherever the key is not a port.
    if (is_simple(text) && !chance(6)) return plain(text, column, in_brackets);
    const bool one_line = text.find('\n') == text.npos;
    line_ += one_line && chance(2) ? escape_single(text) : escape_double(text);
  }

  void plain(const std::string& text, std::size_t column, bool in_brackets) {
    const auto blank = text.rfind(' ');
    const bool dash_next = blank != text.npos && text[blank + 1] == '-';
    if (blank == text.npos || dash_next || in_brackets || !chance(4)) {
      line_ += text;
      return;
    }
    line_ += text.substr(0, blank);
    add_line(line_);
    start_line(column + 1);
    line_ += text.substr(blank + 1);
  }

  void flow_list(const json::array& list, std::size_t column) {
    line_ += '[';
    const auto breaks = breaks_of_brackets();
    for (std::size_t i = 0; i < list.size(); ++i) {
      path_.push_back(std::to_string(i));
      gap(breaks, i > 0, column);
      const auto first = done_.size();
      flow(list[i], column + 1, true);
      lines_[path_] = {first, done_.size(), true};
      path_.pop_back();
      separate(i + 1 == list.size());
    }
    close(breaks, ']', column);
  }

  void flow_map(const json::object& map, std::size_t column) {
    line_ += '{';
    const auto breaks = breaks_of_brackets();
    std::size_t i = 0;
    for (const auto& [key, value] : map) {
      path_.push_back(key);
      gap(breaks, i > 0, column);
      const auto first = done_.size();
      // yaml-cpp has trouble with a quoted key without colon at a line's end.
      const bool bare = value.is_null() && is_simple(key) && breaks == 0 && chance(3);
      line_ += bare ? std::string(key) : key_text(key) + ":";
      if (!value.is_null() || (!bare && chance(2))) {
        line_ += ' ';
        if (!value.is_null() || chance(2)) flow(value, column + 1, true);
      }
      lines_[path_] = {first, done_.size(), true};
      path_.pop_back();
      separate(++i == map.size());
    }
    close(breaks, '}', column);
  }

  /// Of 4 places within brackets, how many have a line end.
  std::uint32_t breaks_of_brackets() { return chance(2) ? 0 : 1 + rng_.below(4); }

  void gap(std::uint32_t breaks, bool behind_comma, std::size_t column) {
    if (rng_.below(4) >= breaks) {
      if (behind_comma ? !chance(6) : chance(6)) line_ += ' ';
      // {"a":b,"c":d} is fine, but a plain scalar would go on at a comma without blank.
      if (behind_comma && line_.back() == ',') line_ += ' ';
      return;
    }
    end_line();
    if (chance(6)) add_line(comment(column + 1));
    start_line(column + 1);
  }

  void separate(bool last) {
    if (!last || chance(6)) line_ += ',';
  }

  void close(std::uint32_t breaks, char bracket, std::size_t column) {
    if (rng_.below(4) < breaks) {
      end_line();
      start_line(column);
    } else if (chance(6)) {
      line_ += ' ';
    }
    line_ += bracket;
  }

  Rng& rng_;
  std::string newline_;
  std::vector<std::string> done_;
  std::string line_;
  JsonPath path_;
  std::map<JsonPath, Lines> lines_;
  std::size_t comment_count_ = 0;
  bool block_scalar_ = false;
};

}  // namespace

RandomYaml random_yaml(Rng& rng) { return Writer(rng).write(Values(rng).map(3)); }

json::value random_new_value(Rng& rng, std::size_t number, std::size_t depth) {
  const auto name = "new" + std::to_string(number);
  const auto inner = [&](std::size_t i) {
    return random_new_value(rng, number * 10 + i, depth - 1);
  };
  switch (depth == 0 ? 9 : rng.below(10)) {
    case 0:
      return json::object{{name, inner(1)}, {name + "*", inner(2)}};
    case 1:
      return json::array{inner(1), inner(2)};
    case 2:
      return json::object{{name, inner(1)}};
    case 3: {
      json::array many;  // longer than a line
      for (std::size_t i = 0; i < 20; ++i) many.push_back(inner(i));
      return many;
    }
    case 4:
      return json::value(name + ": \"#\\");
    default:
      return json::value(name);
  }
}

}  // namespace wormhole::test
