#include "config/list_match.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cstdint>

namespace wormhole {
namespace {

namespace json = boost::json;

/// Comparisons worth making for a smaller difference: some 10 ms. Above, items are paired as they
/// come.
constexpr std::size_t kMaxCells = std::size_t{1} << 20;

/// The part of both lists between what they begin and what they end with in common.
struct Middle {
  std::size_t begin = 0;
  std::size_t before_end = 0;
  std::size_t after_end = 0;
};

Middle middle_of(const json::array& before, const json::array& after) {
  Middle middle{0, before.size(), after.size()};
  const auto shorter = std::min(before.size(), after.size());
  while (middle.begin < shorter && before[middle.begin] == after[middle.begin]) ++middle.begin;
  while (middle.before_end > middle.begin && middle.after_end > middle.begin &&
         before[middle.before_end - 1] == after[middle.after_end - 1]) {
    --middle.before_end;
    --middle.after_end;
  }
  return middle;
}

/// Adds what lies in front of the pair (`before`, `after`) and behind the last step.
class Steps {
 public:
  void advance(std::size_t before, std::size_t after) {
    while (before_ < before || after_ < after) {
      steps_.push_back({before_ < before ? std::optional(before_) : std::nullopt,
                        after_ < after ? std::optional(after_) : std::nullopt});
      before_ += before_ < before ? 1 : 0;
      after_ += after_ < after ? 1 : 0;
    }
  }
  void keep(std::size_t before, std::size_t after) {
    advance(before, after);
    steps_.push_back({before_++, after_++});
  }
  std::vector<ListStep> take() { return std::move(steps_); }

 private:
  std::vector<ListStep> steps_;
  std::size_t before_ = 0;
  std::size_t after_ = 0;
};

void match_middle(const json::array& before, const json::array& after, const Middle& middle,
                  Steps& steps) {
  const auto rows = middle.before_end - middle.begin;
  const auto columns = middle.after_end - middle.begin;
  if (rows == 0 || columns == 0 || rows > kMaxCells / columns) return;
  const auto equal = [&](std::size_t i, std::size_t j) {
    return before[middle.begin + i] == after[middle.begin + j];
  };
  // longest[i][j]: of what begins at i and j.
  std::vector<std::vector<std::uint32_t>> longest(rows + 1,
                                                  std::vector<std::uint32_t>(columns + 1));
  for (auto i = rows; i-- > 0;) {
    for (auto j = columns; j-- > 0;) {
      longest[i][j] =
          equal(i, j) ? longest[i + 1][j + 1] + 1 : std::max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  for (std::size_t i = 0, j = 0; i < rows && j < columns;) {
    if (equal(i, j)) {
      steps.keep(middle.begin + i++, middle.begin + j++);
    } else {
      (longest[i + 1][j] >= longest[i][j + 1] ? i : j) += 1;
    }
  }
}

}  // namespace

std::vector<ListStep> match_lists(const json::array& before, const json::array& after) {
  Steps steps;
  const auto middle = middle_of(before, after);
  for (std::size_t i = 0; i < middle.begin; ++i) steps.keep(i, i);
  match_middle(before, after, middle, steps);
  for (std::size_t i = 0; middle.before_end + i < before.size(); ++i) {
    steps.keep(middle.before_end + i, middle.after_end + i);
  }
  steps.advance(before.size(), after.size());
  return steps.take();
}

}  // namespace wormhole
