#include "config/yaml_flow.hpp"

#include <algorithm>

namespace wormhole {
namespace {

class FlowEditor {
 public:
  FlowEditor(TextChanges& text, const YamlLayout& flow, const FlowPlan& plan,
             const std::string& newline)
      : text_(text), flow_(flow), plan_(plan), newline_(newline) {
    const auto count = flow.children.size();
    // A last entry that goes leaves the comma in front of it without purpose.
    if (!plan.removed[count - 1] || comma_behind(count - 1)) return;
    const auto last_staying = std::find(plan.removed.rbegin(), plan.removed.rend(), false);
    surplus_comma_of_ = static_cast<std::size_t>(plan.removed.rend() - last_staying) - 1;
  }

  void edit() {
    if (!plan_.first.empty()) insert_in_front();
    for (std::size_t i = 0; i < flow_.children.size(); ++i) {
      if (plan_.removed[i]) {
        remove(i);
      } else {
        insert_behind(i, plan_.following[i]);
      }
    }
  }

 private:
  const YamlLayout& entry(std::size_t i) const { return flow_.children[i]; }

  std::optional<std::size_t> comma_behind(std::size_t i) const {
    const auto at = skip_space(text_.text(), entry(i).end);
    const bool comma = at < text_.text().size() && text_.text()[at] == ',';
    return comma ? std::optional(at) : std::nullopt;
  }
  /// Behind entry i, with its comma where it has one.
  std::size_t stop(std::size_t i) const {
    const auto comma = comma_behind(i);
    return comma ? *comma + 1 : entry(i).end;
  }
  std::string indentation(std::size_t at) const {
    return newline_ + std::string(text_.column(at), ' ');
  }

  void insert_in_front() {
    const auto at = entry(0).entry;
    const auto gap = text_.is_first_on_line(at) ? indentation(at) : " ";
    std::string fresh;
    for (const auto& item : plan_.first) fresh += item + "," + gap;
    text_.insert(at, std::move(fresh));
  }

  void insert_behind(std::size_t i, const std::vector<std::string>& items) {
    const bool surplus = surplus_comma_of_ == i;
    const bool own_lines = text_.is_first_on_line(entry(i).entry) && text_.is_last_on_line(stop(i));
    if (own_lines && !items.empty()) {
      insert_lines(i, items, surplus);
      return;
    }
    std::string fresh;
    for (const auto& item : items) fresh += ", " + item;
    if (!fresh.empty()) text_.insert(entry(i).end, std::move(fresh));
    if (surplus) remove_comma(i);
  }

  /// `surplus`: the last new one has no comma then, as the one that goes had none.
  void insert_lines(std::size_t i, const std::vector<std::string>& items, bool surplus) {
    const bool comma = comma_behind(i).has_value();
    if (!comma) text_.insert(entry(i).end, ",");
    std::string fresh;
    for (const auto& item : items) {
      const bool last = &item == &items.back();
      fresh += indentation(entry(i).entry) + item + (last && (surplus || !comma) ? "" : ",");
    }
    text_.insert(text_.line_end(stop(i)), std::move(fresh));
  }

  void remove_comma(std::size_t i) {
    if (const auto comma = comma_behind(i)) text_.remove(*comma, *comma + 1);
  }

  /// Behind what is in front of entry i: the bracket, or an entry with its comma.
  std::size_t behind_previous(std::size_t i) const {
    return i == 0 ? flow_.begin + 1 : stop(i - 1);
  }

  /// Whether a comment, which has to keep its line end, may stay between entry i and what stays in
  /// front of it.
  bool comment_in_front(std::size_t i) const {
    const auto begin = entry(i).entry;
    while (i > 0 && plan_.removed[i - 1]) --i;
    const auto before = behind_previous(i);
    return text_.text().substr(before, begin - before).find('#') != std::string_view::npos;
  }

  /// From where entry i is taken out: with the blanks and line ends in front of it.
  std::size_t gap_begin(std::size_t i) const {
    if (entry(i).entry == done_ || comment_in_front(i)) return entry(i).entry;
    const auto before = behind_previous(i);
    // Behind what comes in at the end of that line.
    return text_.is_last_on_line(before) ? text_.line_end(before) : before;
  }

  void remove(std::size_t i) {
    const auto begin = entry(i).entry;
    const auto end = stop(i);
    const bool leads = text_.is_first_on_line(begin) || i == 0 || begin == done_;
    if (text_.is_last_on_line(end) && text_.is_first_on_line(begin)) {
      text_.remove(text_.previous_line_end(begin), text_.line_end(end));
    } else if (leads && comma_behind(i) && !text_.is_last_on_line(end)) {
      // The next one moves up, to the place of this one.
      done_ = text_.text().find_first_not_of(' ', end);
      text_.remove(begin, done_);
    } else {
      text_.remove(gap_begin(i), end);
    }
  }

  TextChanges& text_;
  const YamlLayout& flow_;
  const FlowPlan& plan_;
  const std::string& newline_;
  std::optional<std::size_t> surplus_comma_of_;
  std::size_t done_ = 0;  // up to where the one before was taken out, when this one moved up
};

}  // namespace

void edit_flow_entries(TextChanges& text, const YamlLayout& flow, const FlowPlan& plan,
                       const std::string& newline) {
  FlowEditor(text, flow, plan, newline).edit();
}

}  // namespace wormhole
