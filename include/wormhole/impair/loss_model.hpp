// Which datagrams are lost: netem's three models.
#pragma once

#include "wormhole/impair/dice.hpp"

namespace wormhole {

class LossModel {
 public:
  LossModel(const ImpairProfile& profile, Dice& dice);

  /// Whether the next datagram is lost.
  bool next(Dice& dice);

 private:
  /// The states of the 4-state model have the numbers of Salsano, Ludovici and Ordine ("Definition
  /// of a general and intuitive loss model"), as tc-netem(8).
  enum class State : std::uint8_t {
    kGood = 1,  ///< received, in a gap between bursts
    kReceivedInBurst = 2,
    kLostInBurst = 3,
    kLostAlone = 4
  };
  bool next_state(Dice& dice);
  bool next_gemodel(Dice& dice);

  ImpairProfile::Loss model_;
  std::array<Share, 5> p_;
  ChanceDice random_;
  State state_ = State::kGood;
  bool bad_ = false;  ///< gemodel's other state
};

}  // namespace wormhole
