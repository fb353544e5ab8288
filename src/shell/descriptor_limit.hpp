// How many files this process may have open.
#pragma once

namespace wormhole {

/// Raises the limit to the hard one where the system lets us have it, and says which one is in
/// force now. A server needs it for relay ports, a client for the sockets of a punching campaign.
int raise_descriptor_limit();

}  // namespace wormhole
