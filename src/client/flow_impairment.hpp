// What impairs the datagrams of one flow before they are sealed, as the server has said.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/client/status.hpp"
#include "wormhole/impair/impairer.hpp"
#include "wormhole/wire/impairment.hpp"

namespace wormhole {

class FlowImpairment {
 public:
  struct Part {
    std::vector<ClientNo> receivers;  ///< ascending; none: all of them
    std::unique_ptr<Impairer> machine;
    bool in_force = true;  ///< else it only lets go of what it holds
    bool has(ClientNo number) const;
  };

  /// `pool` outlives it.
  FlowImpairment(HeldPool& pool, Rng& rng) : pool_(pool), rng_(rng) {}

  /// Instead of what was in force. What is held stays and leaves when it would have; rules for the
  /// same receivers go on with their counts.
  void set(std::vector<ImpairPart> parts);
  /// Nothing is in force and nothing held: it is needed no more.
  bool is_over() const { return parts_.empty(); }
  bool is_in_force() const;
  /// The rules for a datagram to this receiver, or (0) to everybody; null: none, or (0) not the
  /// same ones for everybody.
  Part* part_for(ClientNo receiver);
  std::vector<Part>& parts() { return parts_; }
  /// Forgets rules that are in force no more and hold nothing.
  void tidy();

  TimePoint next_deadline() const;
  ImpairStatus status() const;

  bool named = true;  ///< in the server's snapshot under way

 private:
  HeldPool& pool_;
  Rng& rng_;
  std::vector<Part> parts_;
  ImpairCounts past_;  // of parts that are gone
};

}  // namespace wormhole
