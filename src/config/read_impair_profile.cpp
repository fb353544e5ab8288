// One profile: netem's options as keys.
#include <array>
#include <utility>

#include "config/impair_profiles.hpp"
#include "config/key_path.hpp"
#include "config/quantities.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 15> kProfileKeys{
    "profile", "loss",    "delay", "jitter", "correlation", "distribution", "table",   "duplicate",
    "reorder", "corrupt", "rate",  "slot",   "limit",       "seed",         "handover"};
constexpr std::array<std::string_view, 4> kLossKeys{"random", "correlation", "state", "gemodel"};
constexpr std::array<std::string_view, 5> kStateKeys{"p13", "p31", "p32", "p23", "p14"};
constexpr std::array<std::string_view, 4> kGemodelKeys{"p", "r", "1-h", "1-k"};
constexpr std::array<std::string_view, 2> kDuplicateKeys{"rate", "correlation"};
constexpr std::array<std::string_view, 3> kReorderKeys{"rate", "correlation", "gap"};
constexpr std::array<std::string_view, 4> kCorruptKeys{"rate", "correlation", "from", "to"};
constexpr std::array<std::string_view, 4> kRateKeys{"rate", "overhead", "cell", "cell_overhead"};
constexpr std::array<std::string_view, 8> kSlotKeys{"min",   "max",          "delay",   "jitter",
                                                    "table", "distribution", "packets", "bytes"};
constexpr std::array<std::string_view, 3> kHandoverKeys{"every", "length", "loss"};
/// No datagram is longer.
constexpr std::uint64_t kMostByte = 65'535;
constexpr std::uint64_t kMostCount = 0xffffffff;

/// Keys of one map into fields of a profile; one is left as it is where its key is not there.
class Fields {
 public:
  Fields(const MapReader& map, ErrorList& errors) : map_(map), errors_(errors) {}

  bool has(std::string_view key) const { return map_.has(key); }
  void share(std::string_view key, Share& to) const {
    if (const auto value = map_.find(key)) to = read_percent(*value, errors_).value_or(to);
  }
  void time(std::string_view key, std::uint32_t& to) const {
    const auto value = map_.find(key);
    if (value) to = read_microseconds(*value, 0, kMostDelayUs, errors_).value_or(to);
  }
  template <typename Number>
  void whole(std::string_view key, std::uint64_t least, std::uint64_t most, Number& to) const {
    const auto value = map_.find(key);
    if (!value) return;
    to = static_cast<Number>(read_whole(*value, least, most, errors_).value_or(to));
  }
  void overhead(std::string_view key, std::int32_t& to) const {
    const auto value = map_.find(key);
    if (!value) return;
    const auto read = read_signed(*value, -kMostOverhead, kMostOverhead, errors_);
    to = static_cast<std::int32_t>(read.value_or(to));
  }
  /// An error at `key` when it is there although `usable` is false.
  void needs(std::string_view key, bool usable, std::string_view what) const {
    const auto value = map_.find(key);
    if (value && !usable) add_error(errors_, *value, std::string(what));
  }

 private:
  const MapReader& map_;
  ErrorList& errors_;
};

/// "p13 p31 …", netem's parameters in its order; one that is missing has netem's default.
template <std::size_t N>
void read_chain(const Value& value, const std::array<std::string_view, N>& keys,
                std::array<Share, 5>& to, ErrorList& errors) {
  MapReader map(value, keys, errors);
  const auto first = map.require(keys[0], "the share of datagrams after which a burst begins");
  if (!first) return;
  to[0] = read_percent(*first, errors).value_or(0);
  to[1] = kWhole - to[0];
  const Fields fields(map, errors);
  for (std::size_t i = 1; i < N; ++i) fields.share(keys[i], to[i]);
}

void read_loss(const Value& value, ImpairProfile& profile, ErrorList& errors) {
  using Loss = ImpairProfile::Loss;
  profile.loss_model = Loss::kRandom;
  profile.loss = {};
  if (value.is(YamlNode::Kind::kScalar)) {
    profile.loss[0] = read_percent(value, errors).value_or(0);
    return;
  }
  const MapReader map(value, kLossKeys, errors);
  if (!value.is(YamlNode::Kind::kMap)) return;  // has its error
  const auto random = map.find("random");
  const auto state = map.find("state");
  const auto gemodel = map.find("gemodel");
  if (int{random.has_value()} + int{state.has_value()} + int{gemodel.has_value()} != 1) {
    return add_error(errors, value, "is not one model; expected one of random, state and gemodel");
  }
  const Fields fields(map, errors);
  fields.needs("correlation", random.has_value(),
               "is part of the model already; expected it beside random alone");
  if (state) {
    profile.loss_model = Loss::kState;
    profile.loss[3] = kWhole;
    return read_chain(*state, kStateKeys, profile.loss, errors);
  }
  if (gemodel) {
    profile.loss_model = Loss::kGemodel;
    profile.loss[2] = kWhole;
    return read_chain(*gemodel, kGemodelKeys, profile.loss, errors);
  }
  fields.share("random", profile.loss[0]);
  fields.share("correlation", profile.loss[1]);
}

std::optional<Spreading> read_spreading(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "uniform, normal, pareto or paretonormal (table: FILE for one's own)";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return std::nullopt;
  if (*text == "uniform") return Spreading::kUniform;
  if (*text == "normal") return Spreading::kNormal;
  if (*text == "pareto") return Spreading::kPareto;
  if (*text == "paretonormal") return Spreading::kParetoNormal;
  add_error(errors, value, quoted(*text) + " is no distribution; expected " + kExpected);
  return std::nullopt;
}

/// `distribution` or `table`, of `delay` and of `slot`.
void read_distribution(const MapReader& map, Spreading& spreading, JitterTable& table,
                       const std::string& folder, ErrorList& errors) {
  const auto named = map.find("distribution");
  const auto file = map.find("table");
  if (named && file) {
    return add_error(errors, *file, "stands beside distribution; expected one of the two");
  }
  if (named) spreading = read_spreading(*named, errors).value_or(spreading);
  const auto read = file ? read_table(*file, folder, errors) : std::nullopt;
  if (!read) return;
  table = *read;
  spreading = Spreading::kTable;
}

void read_delay(const MapReader& map, ImpairProfile& profile, const std::string& folder,
                ErrorList& errors) {
  const Fields fields(map, errors);
  const auto said = [&](std::string_view key, std::uint32_t now) {
    return now != 0 || map.has(key);
  };
  fields.time("delay", profile.delay_us);
  fields.needs("jitter", said("delay", profile.delay_us),
               "is how much the delay varies; expected delay beside it");
  fields.time("jitter", profile.jitter_us);
  for (const auto* key : {"correlation", "distribution", "table"}) {
    fields.needs(key, said("jitter", profile.jitter_us),
                 "says how jitter is spread; expected jitter beside it");
  }
  fields.share("correlation", profile.delay_correlation);
  read_distribution(map, profile.spreading, profile.table, folder, errors);
}

/// A share alone, or a map with `keys`; what a map has beside share and correlation is read by
/// `rest`.
template <std::size_t N, typename Rest>
void read_chance(const Value& value, const std::array<std::string_view, N>& keys, Chance& to,
                 ErrorList& errors, Rest rest) {
  to = {};
  if (value.is(YamlNode::Kind::kScalar)) {
    to.share = read_percent(value, errors).value_or(0);
    return;
  }
  const MapReader map(value, keys, errors);
  if (!value.is(YamlNode::Kind::kMap)) return;
  const Fields fields(map, errors);
  fields.share("rate", to.share);
  fields.share("correlation", to.correlation);
  fields.needs("correlation", map.has("rate"), "is between chances; expected rate beside it");
  rest(map, fields);
}

void need_rate(const MapReader& map, ErrorList& errors) {
  if (!map.has("rate")) add_error(errors, map.value(), "says no share; expected rate in it");
}

void read_reorder(const Value& value, ImpairProfile& profile, ErrorList& errors) {
  profile.gap = 1;
  read_chance(value, kReorderKeys, profile.reorder, errors,
              [&](const auto& map, const auto& fields) {
                if (!map.has("gap")) need_rate(map, errors);
                if (!map.has("rate"))
                  profile.reorder.share = kWhole;  // each one behind the gap, as in netem
                fields.whole("gap", 1, kMostCount, profile.gap);
              });
  if (profile.delay_us != 0) return;
  add_error(errors, value,
            "lets datagrams leave ahead of those that are delayed; expected delay beside it");
}

void read_corrupt(const Value& value, ImpairProfile& profile, ErrorList& errors) {
  profile.corrupt_from = 0;
  profile.corrupt_to = kMostByte;
  read_chance(value, kCorruptKeys, profile.corrupt, errors,
              [&](const auto& map, const auto& fields) {
                need_rate(map, errors);
                fields.whole("from", 0, kMostByte, profile.corrupt_from);
                fields.whole("to", 0, kMostByte, profile.corrupt_to);
                fields.needs("to", profile.corrupt_from <= profile.corrupt_to,
                             "is before from; expected the same byte or a later one");
              });
}

void read_link_rate(const Value& value, ImpairProfile& profile, ErrorList& errors) {
  profile.packet_overhead = 0;
  profile.cell_size = 0;
  profile.cell_overhead = 0;
  const auto read = [&](const Value& rate) {
    profile.rate_bps = read_bit_rate(rate, kLeastRate, kMostRate, errors).value_or(0);
  };
  if (value.is(YamlNode::Kind::kScalar)) return read(value);
  MapReader map(value, kRateKeys, errors);
  const auto rate = map.require("rate", "a rate like 10mbit");
  if (!rate) return;
  read(*rate);
  const Fields fields(map, errors);
  fields.overhead("overhead", profile.packet_overhead);
  fields.whole("cell", 1, kMostCell, profile.cell_size);
  fields.needs("cell_overhead", map.has("cell"), "is each cell's; expected cell beside it");
  fields.overhead("cell_overhead", profile.cell_overhead);
}

void read_slot(const Value& value, ImpairProfile& profile, const std::string& folder,
               ErrorList& errors) {
  using Kind = ImpairProfile::Slot::Kind;
  auto& slot = profile.slot = {};
  const MapReader map(value, kSlotKeys, errors);
  if (!value.is(YamlNode::Kind::kMap)) return;
  const bool range = map.has("min") || map.has("max");
  if (range == map.has("delay")) {
    return add_error(errors, value,
                     "says not in one way how far slots are apart; expected min and max, or delay, "
                     "jitter and distribution");
  }
  const Fields fields(map, errors);
  fields.time("min", slot.min_us);
  slot.max_us = slot.min_us;
  fields.time("max", slot.max_us);
  fields.needs("max", slot.min_us <= slot.max_us, "is less than min; expected as much or more");
  fields.time("delay", slot.delay_us);
  fields.needs("jitter", !range, "is around delay; expected delay beside it");
  fields.time("jitter", slot.jitter_us);
  for (const auto* key : {"distribution", "table"}) {
    fields.needs(key, map.has("jitter"), "says how jitter is spread; expected jitter beside it");
  }
  read_distribution(map, slot.spreading, slot.table, folder, errors);
  fields.whole("packets", 1, kMostCount, slot.packets);
  fields.whole("bytes", 1, kMostCount, slot.bytes);
  slot.kind = range ? Kind::kRange : Kind::kSpread;
}

void read_handover(const Value& value, ImpairProfile& profile, ErrorList& errors) {
  auto& handover = profile.handover = {};
  MapReader map(value, kHandoverKeys, errors);
  const auto every = map.require("every", "a time like 15s");
  const auto length = map.require("length", "a time like 140ms");
  if (!every || !length) return;
  const Fields fields(map, errors);
  fields.time("every", handover.every_us);
  fields.time("length", handover.length_us);
  fields.share("loss", handover.loss);
  fields.needs("length", handover.length_us < handover.every_us,
               "is as long as the time between two handovers; expected less than every");
}

}  // namespace

std::span<const std::string_view> profile_keys() { return kProfileKeys; }

std::optional<ImpairProfile> read_profile(const MapReader& map, ImpairProfile base,
                                          const std::string& folder, ErrorList& errors) {
  const auto errors_before = errors.count();
  auto profile = std::move(base);
  const Fields fields(map, errors);
  if (const auto value = map.find("loss")) read_loss(*value, profile, errors);
  read_delay(map, profile, folder, errors);
  if (const auto value = map.find("duplicate")) {
    read_chance(*value, kDuplicateKeys, profile.duplicate, errors,
                [&](const auto& chance, const auto& /*fields*/) { need_rate(chance, errors); });
  }
  if (const auto value = map.find("reorder")) read_reorder(*value, profile, errors);
  if (const auto value = map.find("corrupt")) read_corrupt(*value, profile, errors);
  if (const auto value = map.find("rate")) read_link_rate(*value, profile, errors);
  if (const auto value = map.find("slot")) read_slot(*value, profile, folder, errors);
  fields.whole("limit", 1, kMostLimit, profile.limit);
  if (const auto value = map.find("seed")) profile.seed = read_whole(*value, 0, ~0ULL, errors);
  if (const auto value = map.find("handover")) read_handover(*value, profile, errors);
  if (errors.count() != errors_before) return std::nullopt;
  if (const auto wrong = what_is_wrong(profile); !wrong.empty()) {
    add_error(errors, map.value(), wrong + "; expected values that fit together");
    return std::nullopt;
  }
  return profile;
}

}  // namespace wormhole
