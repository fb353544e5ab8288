// Bodies without an end: what is published goes to all who listen now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wormhole {

/// Server-sent events for a bounded number of listeners. Who reads too slowly is cut: publishing
/// never waits. Everything happens on the io_context's thread; it outlives its listeners.
class HttpFeed {
 public:
  /// A quarter of the API's connections: callers of other paths find room.
  static constexpr std::size_t kMostListeners = 16;
  /// What may wait for one listener: some 200 events, minutes of a link that changes all the time.
  static constexpr std::size_t kMostWaiting = std::size_t{64} << 10;

  struct Counts {
    std::uint64_t cut = 0;      ///< too slow
    std::uint64_t refused = 0;  ///< too many
  };

  HttpFeed() = default;
  HttpFeed(const HttpFeed&) = delete;
  HttpFeed& operator=(const HttpFeed&) = delete;

  void publish(std::string_view text);
  /// False is counted: ask it for somebody who wants to listen.
  bool has_room();
  std::size_t listeners() const { return listeners_.size(); }
  const Counts& counts() const { return counts_; }

  /// One who listens, for as long as it lives.
  class Listener {
   public:
    /// `wake` is called when there is something to take, and once when it is cut. It must not end
    /// the listener at once.
    Listener(HttpFeed& feed, std::function<void()> wake);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    const std::string& waiting() const { return waiting_; }
    std::string take();
    bool is_cut() const { return cut_; }
    /// It took nothing for too long: it counts as cut.
    void note_stalled();

   private:
    friend class HttpFeed;
    void add(std::string_view text);

    HttpFeed& feed_;
    std::function<void()> wake_;
    std::string waiting_;
    bool cut_ = false;
  };

 private:
  std::vector<Listener*> listeners_;
  Counts counts_;
};

}  // namespace wormhole
