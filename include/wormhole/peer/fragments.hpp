// Cutting a datagram into fragments (docs/protocol.md, section 3).
#pragma once

#include "wormhole/base/outbox.hpp"
#include "wormhole/wire/fragment.hpp"

namespace wormhole {

/// Calls `send(MutBytes plaintext)` for each fragment of `text`, none longer than `most` bytes, in
/// memory of `out`. Ends and says false when there is no room, or `send` says false.
template <typename Send>
bool send_in_fragments(Bytes text, std::size_t most, std::uint32_t number, Outbox& out,
                       Send&& send) {
  const auto piece = most - kFragmentHeaderSize;
  FragmentHeader head;
  head.datagram = number;
  head.count = static_cast<std::uint8_t>((text.size() + piece - 1) / piece);
  head.total = static_cast<std::uint16_t>(text.size());
  for (; head.index < head.count; ++head.index) {
    const auto room = out.reserve(kFragmentHeaderSize + head.length());
    if (room.empty()) return false;
    write_fragment_header(head, room.data());
    copy_bytes(text.subspan(head.offset(), head.length()), room.subspan(kFragmentHeaderSize));
    if (!send(room)) return false;
  }
  return true;
}

}  // namespace wormhole
