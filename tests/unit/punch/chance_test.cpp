#include "wormhole/punch/chance.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace wormhole {
namespace {

std::string percent(double chance) {
  std::array<char, 16> text{};
  const int places = chance < 0.01 ? 3 : chance > 0.999 && chance < 0.9999 ? 2 : 1;
  std::snprintf(text.data(), text.size(), "%.*f %%", places, chance * 100);
  return text.data();
}

/// The least number of probes that meet with this chance.
std::uint32_t probes_for(std::uint32_t ports, std::uint32_t open, double chance) {
  std::uint32_t probes = 1;
  while (chance_distinct(ports, open, probes) < chance) ++probes;
  return probes;
}

std::string thousands(std::uint32_t n) {
  std::array<char, 16> text{};
  if (n < 1000) return std::to_string(n);
  std::snprintf(text.data(), text.size(), "%u,%03u", n / 1000, n % 1000);
  return text.data();
}

std::string documentation() {
  std::ifstream file(WORMHOLE_TEST_DATA "/../docs/nat-traversal.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Chance, DistinctIsCountedExactly) {
  EXPECT_DOUBLE_EQ(chance_distinct(10, 1, 1), 0.1);
  EXPECT_DOUBLE_EQ(chance_distinct(10, 1, 10), 1);
  EXPECT_DOUBLE_EQ(chance_distinct(10, 2, 2), 1 - 28.0 / 45);  // C(8, 2) / C(10, 2)
  EXPECT_DOUBLE_EQ(chance_distinct(10, 0, 5), 0);
  EXPECT_DOUBLE_EQ(chance_distinct(10, 5, 0), 0);
  EXPECT_DOUBLE_EQ(chance_distinct(10, 6, 5), 1);  // more probes than ports without a mapping
  EXPECT_DOUBLE_EQ(chance_distinct(10, 20, 1), 1);
}

TEST(Chance, PairGrowsWithTheSquareOfBoth) {
  EXPECT_NEAR(chance_pair(1024, 1024), 0.632, 0.001);
  EXPECT_NEAR(chance_pair(1024, 512), 0.221, 0.001);
  EXPECT_NEAR(chance_pair(64512, 1024), 0.00025, 0.00001);
}

TEST(Chance, TheDocumentationHasTheSameNumbers) {
  const auto text = documentation();
  struct Row {
    std::uint32_t ports;
    std::uint32_t open;
  };
  for (const auto& row : {Row{64512, 256}, Row{64512, 128}, Row{64512, 64}, Row{28232, 256},
                          Row{2048, 256}, Row{1024, 256}}) {
    std::ostringstream line;
    line << "| " << thousands(row.ports) << " | " << row.open << " |";
    for (const std::uint32_t probes : {64U, 256U, 512U, 1024U, 2048U}) {
      line << ' ' << percent(chance_distinct(row.ports, row.open, probes)) << " |";
    }
    for (const double chance : {0.5, 0.9, 0.99}) {
      line << ' ' << thousands(probes_for(row.ports, row.open, chance)) << " |";
    }
    EXPECT_NE(text.find(line.str()), std::string::npos) << line.str();
  }
  const auto expect_pair = [&](std::uint32_t ports, std::uint32_t mappings) {
    std::ostringstream line;
    line << "| " << thousands(ports) << " | " << thousands(mappings) << " | "
         << percent(chance_pair(ports, mappings)) << " |";
    EXPECT_NE(text.find(line.str()), std::string::npos) << line.str();
  };
  for (const std::uint32_t ports : {256U, 1024U, 4096U}) expect_pair(ports, ports / 2);
  for (const std::uint32_t mappings : {1024U, 2048U}) expect_pair(64512, mappings);
}

}  // namespace
}  // namespace wormhole
