#include "wormhole/wire/nat_report.hpp"

namespace wormhole {
namespace {

template <typename Enum>
Enum read_enum(Reader& reader, Enum last) {
  const auto value = reader.number<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(value);
}

}  // namespace

void write_nat_report(Writer& writer, const NatReport& report) {
  writer.number(static_cast<std::uint8_t>(report.mapping));
  writer.number(static_cast<std::uint8_t>(report.filtering));
  writer.number(static_cast<std::uint8_t>(report.allocation));
  writer.number(static_cast<std::uint8_t>(report.address_varies ? 1 : 0));
  writer.endpoint(report.mapped);
  writer.number(static_cast<std::uint16_t>(report.step)).number(report.newest);
  writer.number(report.low).number(report.high).number(report.foreign);
}

NatReport read_nat_report(Reader& reader) {
  NatReport report;
  report.mapping = read_enum(reader, NatMapping::kAddressAndPortDependent);
  report.filtering = read_enum(reader, NatFiltering::kAddressAndPortDependent);
  report.allocation = read_enum(reader, PortAllocation::kRandom);
  const auto varies = reader.number<std::uint8_t>();
  if (varies > 1) reader.fail();
  report.address_varies = varies == 1;
  report.mapped = reader.endpoint();
  report.step = static_cast<std::int16_t>(reader.number<std::uint16_t>());
  report.newest = reader.number<std::uint16_t>();
  report.low = reader.number<std::uint16_t>();
  report.high = reader.number<std::uint16_t>();
  report.foreign = reader.number<std::uint16_t>();
  if (report.low > report.high) reader.fail();
  return report;
}

}  // namespace wormhole
