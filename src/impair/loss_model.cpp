#include "wormhole/impair/loss_model.hpp"

namespace wormhole {

LossModel::LossModel(const ImpairProfile& profile, Dice& dice)
    : model_(profile.loss_model), p_(profile.loss), random_({p_[0], p_[1]}, dice) {}

bool LossModel::next(Dice& dice) {
  switch (model_) {
    case ImpairProfile::Loss::kNone:
      return false;
    case ImpairProfile::Loss::kRandom:
      return random_.hits(dice);
    case ImpairProfile::Loss::kState:
      return next_state(dice);
    case ImpairProfile::Loss::kGemodel:
      return next_gemodel(dice);
  }
  return false;
}

/// One number decides the next state, and the state whether the datagram is lost.
bool LossModel::next_state(Dice& dice) {
  const std::uint64_t rolled = dice.roll();
  const auto [p13, p31, p32, p23, p14] = p_;
  switch (state_) {
    case State::kGood:
      if (rolled < p14) {
        state_ = State::kLostAlone;
      } else if (rolled < std::uint64_t{p14} + p13) {
        state_ = State::kLostInBurst;
      }
      break;
    case State::kReceivedInBurst:
      if (rolled < p23) state_ = State::kLostInBurst;
      break;
    case State::kLostInBurst:
      if (rolled < p32) {
        state_ = State::kReceivedInBurst;
      } else if (rolled < std::uint64_t{p32} + p31) {
        state_ = State::kGood;
      }
      break;
    case State::kLostAlone:
      state_ = State::kGood;
      break;
  }
  return state_ == State::kLostInBurst || state_ == State::kLostAlone;
}

/// The state before the step decides how likely the datagram is lost, as in netem.
bool LossModel::next_gemodel(Dice& dice) {
  const auto [p, r, lost_when_bad, lost_when_good, unused] = p_;
  const bool was_bad = bad_;
  if (dice.roll() < (was_bad ? r : p)) bad_ = !was_bad;
  const auto lost = was_bad ? lost_when_bad : lost_when_good;
  return lost != 0 && dice.roll() <= lost;
}

}  // namespace wormhole
