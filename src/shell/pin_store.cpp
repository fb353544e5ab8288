#include "shell/pin_store.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace wormhole {
PinStore::PinStore(boost::asio::io_context& io, Worker& worker, Pins pins, Save save,
                   std::chrono::milliseconds retry_after)
    : worker_(worker),
      pins_(std::move(pins)),
      save_(std::move(save)),
      retry_after_(retry_after),
      retry_(io) {}

void PinStore::remember(const std::string& id, const PeerPin& pin) {
  pins_[id] = pin;
  dirty_ = true;
  write();
}

void PinStore::close() {
  retry_.cancel();
  writing_ = false;  // the worker keeps the order: this write comes behind the one under way
  write();
  closed_ = true;
}

void PinStore::write() {
  if (!dirty_ || writing_ || closed_) return;
  dirty_ = false;
  writing_ = true;
  worker_.run([save = save_, pins = pins_] { return save(pins); },
              [this](const Result<void>& result) { on_written(result); });
}

void PinStore::on_written(const Result<void>& result) {
  writing_ = false;
  if (result) {
    if (std::exchange(failing_, false)) spdlog::info("peers' keys are stored again");
    return write();
  }
  dirty_ = true;
  if (!std::exchange(failing_, true)) {
    spdlog::warn("peers' keys are not stored, and would be learnt anew after a restart: {}",
                 result.error().message);
  }
  if (closed_) return;
  retry_.expires_after(retry_after_);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) write();
  });
}

}  // namespace wormhole
