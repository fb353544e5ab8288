// A video sender that follows the client's reports, as config/examples/adaptive-video does.
#pragma once

#include <optional>
#include <string>

#include "sim/stage.hpp"

namespace wormhole::sim {

/// The rule of bitrate.py, and its figures; tests/vectors/bitrate.txt holds both to the same.
class BitrateControl {
 public:
  /// Bits a second of video.
  struct Range {
    double lowest = 150e3;
    double highest = 4e6;
    double start = 800e3;
  };
  explicit BitrateControl(Range range) : range_(range), rate_(range.start) {}
  /// A line of the flow's, at a time in seconds.
  void on_state(const LinkState& state, double at);
  /// The rate to encode at from now on.
  double on_tick(double at);

 private:
  double within(double rate) const;
  void cut(double at);

  Range range_;
  double rate_;
  double known_ = 0;  // capacity, as told at the last limit
  LinkVerdict verdict_ = LinkVerdict::kAppLimited;
  std::optional<double> cut_;
  std::optional<double> ticked_;
  double told_ = 0;
};

/// Sends datagrams of kSize evenly at that rate on the flow video, until the world ends.
class AdaptiveVideo {
 public:
  static constexpr std::size_t kSize = 1100;
  AdaptiveVideo(Stage& stage, std::string client, BitrateControl::Range range)
      : stage_(stage), client_(std::move(client)), control_(range) {}
  AdaptiveVideo(const AdaptiveVideo&) = delete;
  AdaptiveVideo& operator=(const AdaptiveVideo&) = delete;
  /// It must outlive the world's run.
  void begin();

 private:
  void tick();

  Stage& stage_;
  std::string client_;
  BitrateControl control_;
  double due_ = 0;  // bits that may leave
  std::size_t heard_ = 0;
  TimePoint ticked_{};
};

}  // namespace wormhole::sim
