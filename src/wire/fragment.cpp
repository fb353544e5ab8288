#include "wormhole/wire/fragment.hpp"

namespace wormhole {

void write_fragment_header(const FragmentHeader& header, std::uint8_t* to) {
  store_le(to, header.datagram);
  to[4] = header.index;
  to[5] = header.count;
  store_le(to + 6, header.total);
}

std::optional<FragmentHeader> read_fragment_header(Bytes text) {
  if (text.size() < kFragmentHeaderSize) return std::nullopt;
  const FragmentHeader header{load_le<std::uint32_t>(text.data()), text[4], text[5],
                              load_le<std::uint16_t>(text.data() + 6)};
  const bool counts = header.count >= 2 && header.count <= kMaxFragments &&
                      header.index < header.count && header.total >= header.count;
  // The last fragment must not be empty: chunk × (count − 1) < total.
  if (!counts || header.chunk() * (header.count - std::size_t{1}) >= header.total) {
    return std::nullopt;
  }
  if (text.size() - kFragmentHeaderSize != header.length()) return std::nullopt;
  return header;
}

}  // namespace wormhole
