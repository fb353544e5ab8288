#pragma once

namespace wormhole::stream_bench {

/// Prints what a byte costs at both ends together, without and with sealing.
void print_cpu();

}  // namespace wormhole::stream_bench
