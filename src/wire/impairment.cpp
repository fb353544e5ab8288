#include "wormhole/wire/impairment.hpp"

#include <algorithm>

#include "wormhole/base/result.hpp"
#include "wormhole/wire/cursor.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {
namespace {

void write_signed(Writer& writer, std::int32_t value) {
  writer.number(static_cast<std::uint32_t>(value));
}
std::int32_t read_signed(Reader& reader) {
  return static_cast<std::int32_t>(reader.number<std::uint32_t>());
}

template <typename Enum>
Enum read_enum(Reader& reader, Enum last) {
  const auto value = reader.number<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(value);
}

void write_spreading(Writer& writer, Spreading spreading, const JitterTable& table) {
  writer.number(static_cast<std::uint8_t>(spreading));
  if (spreading != Spreading::kTable) return;
  WH_ASSERT(table.values && table.values->size() <= kMostTableValues);
  writer.number(static_cast<std::uint16_t>(table.values->size()));
  for (const auto value : *table.values) writer.number(static_cast<std::uint16_t>(value));
}
Spreading read_spreading(Reader& reader, JitterTable& table) {
  const auto spreading = read_enum(reader, Spreading::kTable);
  if (spreading != Spreading::kTable) return spreading;
  const std::size_t count = reader.number<std::uint16_t>();
  const auto raw = reader.take(2 * count);
  std::vector<std::int16_t> values;
  values.reserve(raw.size() / 2);
  for (std::size_t at = 0; at < raw.size(); at += 2) {
    values.push_back(static_cast<std::int16_t>(load_le<std::uint16_t>(raw.data() + at)));
  }
  table.values = std::make_shared<const std::vector<std::int16_t>>(std::move(values));
  return spreading;
}

void write_chance(Writer& writer, const Chance& chance) {
  writer.number(chance.share).number(chance.correlation);
}
Chance read_chance(Reader& reader) {
  const auto share = reader.number<Share>();
  return {share, reader.number<Share>()};
}

void write_slot(Writer& writer, const ImpairProfile::Slot& slot) {
  writer.number(static_cast<std::uint8_t>(slot.kind)).number(slot.min_us).number(slot.max_us);
  writer.number(slot.delay_us).number(slot.jitter_us);
  write_spreading(writer, slot.spreading, slot.table);
  writer.number(slot.packets).number(slot.bytes);
}
ImpairProfile::Slot read_slot(Reader& reader) {
  ImpairProfile::Slot slot;
  slot.kind = read_enum(reader, ImpairProfile::Slot::Kind::kSpread);
  slot.min_us = reader.number<std::uint32_t>();
  slot.max_us = reader.number<std::uint32_t>();
  slot.delay_us = reader.number<std::uint32_t>();
  slot.jitter_us = reader.number<std::uint32_t>();
  slot.spreading = read_spreading(reader, slot.table);
  slot.packets = reader.number<std::uint32_t>();
  slot.bytes = reader.number<std::uint32_t>();
  return slot;
}

void write_profile(Writer& writer, const ImpairProfile& profile) {
  writer.short_text(profile.name).number(static_cast<std::uint8_t>(profile.loss_model));
  for (const auto share : profile.loss) writer.number(share);
  writer.number(profile.delay_us).number(profile.jitter_us).number(profile.delay_correlation);
  write_spreading(writer, profile.spreading, profile.table);
  write_chance(writer, profile.duplicate);
  write_chance(writer, profile.reorder);
  writer.number(profile.gap);
  write_chance(writer, profile.corrupt);
  writer.number(profile.corrupt_from).number(profile.corrupt_to).number(profile.rate_bps);
  write_signed(writer, profile.packet_overhead);
  writer.number(profile.cell_size);
  write_signed(writer, profile.cell_overhead);
  write_slot(writer, profile.slot);
  writer.number(profile.limit).number(static_cast<std::uint8_t>(profile.seed ? 1 : 0));
  writer.number(profile.seed.value_or(0));
  writer.number(profile.handover.every_us).number(profile.handover.length_us);
  writer.number(profile.handover.loss);
}

ImpairProfile read_profile(Reader& reader) {
  ImpairProfile profile;
  profile.name = std::string(reader.short_text());
  if (!profile.name.empty() && !is_valid_name(profile.name)) reader.fail();
  profile.loss_model = read_enum(reader, ImpairProfile::Loss::kGemodel);
  for (auto& share : profile.loss) share = reader.number<Share>();
  profile.delay_us = reader.number<std::uint32_t>();
  profile.jitter_us = reader.number<std::uint32_t>();
  profile.delay_correlation = reader.number<Share>();
  profile.spreading = read_spreading(reader, profile.table);
  profile.duplicate = read_chance(reader);
  profile.reorder = read_chance(reader);
  profile.gap = reader.number<std::uint32_t>();
  profile.corrupt = read_chance(reader);
  profile.corrupt_from = reader.number<std::uint16_t>();
  profile.corrupt_to = reader.number<std::uint16_t>();
  profile.rate_bps = reader.number<std::uint64_t>();
  profile.packet_overhead = read_signed(reader);
  profile.cell_size = reader.number<std::uint32_t>();
  profile.cell_overhead = read_signed(reader);
  profile.slot = read_slot(reader);
  profile.limit = reader.number<std::uint32_t>();
  const auto has_seed = reader.number<std::uint8_t>();
  const auto seed = reader.number<std::uint64_t>();
  if (has_seed > 1 || (has_seed == 0 && seed != 0)) reader.fail();
  if (has_seed == 1) profile.seed = seed;
  profile.handover.every_us = reader.number<std::uint32_t>();
  profile.handover.length_us = reader.number<std::uint32_t>();
  profile.handover.loss = reader.number<Share>();
  if (!reader.ok() || !what_is_wrong(profile).empty()) reader.fail();
  return profile;
}

}  // namespace

std::vector<std::uint8_t> impair_messages(FlowNo flow, const std::vector<ImpairPart>& parts) {
  Writer whole;
  for (const auto& part : parts) {
    write_profile(whole, part.profile);
    whole.number(static_cast<std::uint16_t>(part.receivers.size()));
    for (const auto number : part.receivers) whole.number(number.value);
  }
  const Bytes bytes(whole.result());
  std::vector<std::uint8_t> messages;
  std::size_t at = 0;
  do {
    FlowImpair message;
    const auto size = std::min(bytes.size() - at, FlowImpair::kMostBytes);
    message.flow = flow;
    message.first = at == 0;
    message.last = at + size == bytes.size();
    const auto piece = bytes.subspan(at, size);
    message.bytes.assign(piece.begin(), piece.end());
    const auto encoded = encode(message);
    messages.insert(messages.end(), encoded.begin(), encoded.end());
    at += size;
  } while (at < bytes.size());
  return messages;
}

std::optional<std::vector<ImpairPart>> decode_impairment(Bytes pieces) {
  Reader reader(pieces);
  std::vector<ImpairPart> parts;
  while (reader.ok() && !reader.finished()) {
    auto& part = parts.emplace_back();
    part.profile = read_profile(reader);
    const auto count = reader.number<std::uint16_t>();
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
      part.receivers.push_back(ClientNo{reader.number<std::uint16_t>()});
    }
    if (!std::is_sorted(part.receivers.begin(), part.receivers.end())) reader.fail();
  }
  if (!reader.ok()) return std::nullopt;
  return parts;
}

}  // namespace wormhole
