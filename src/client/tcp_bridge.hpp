// One TCP connection of an application and what carries it: a stream, or several (fanout: copy).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "client/stream_book.hpp"
#include "wormhole/client/client.hpp"

namespace wormhole {

/// Codes of resets between clients. Which one it is tells people; both ends do the same with all.
inline constexpr std::uint64_t kApplicationReset = 1;  ///< the application's connection is gone
inline constexpr std::uint64_t kGivenUp = 2;           ///< a client gave the stream up

/// What one flow has had of TCP connections.
struct TcpCounts {
  std::uint64_t opened = 0;
  std::uint64_t refused = 0;  ///< nobody could be reached, or the target refused
  std::uint64_t cut = 0;      ///< receivers of fanout: copy that were too slow
  std::string last_error;     ///< of `refused` and `cut`: who and why
  std::string said_error;     ///< what the log says last
};

/// The shell moves bytes by space(), commit(), readable() and consume(); streams tell what happens
/// by on_stream(). What the shell must do is put into the tray.
class TcpBridge {
 public:
  using Permitted = std::function<bool(std::uint16_t slot)>;

  TcpBridge(TcpNo number, FlowNo flow, StreamBook& streams)
      : number_(number), flow_(flow), streams_(streams) {}
  virtual ~TcpBridge() = default;
  TcpBridge(const TcpBridge&) = delete;
  TcpBridge& operator=(const TcpBridge&) = delete;

  virtual MutBytes space() = 0;
  virtual void commit(std::size_t size) = 0;
  virtual Bytes readable() const = 0;
  virtual void consume(std::size_t size) = 0;
  /// The application sends no more.
  virtual void on_end(ClientOutbox& out) = 0;
  /// An event of one of its streams.
  virtual void on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint now,
                         ClientOutbox& out) = 0;
  /// The stream is gone with its connection, or its peer.
  virtual void on_lost(const StreamRef& ref, TimePoint now, ClientOutbox& out) = 0;
  /// After commit() and consume(), and when the deadline has come; harmless else.
  virtual void tend(TimePoint now, ClientOutbox& out) = 0;
  virtual TimePoint deadline() const { return kNever; }
  /// Gives all streams up. `tell`: the shell still has the socket, and must reset it.
  virtual void give_up(std::uint64_t code, bool tell, ClientOutbox& out) = 0;
  /// Only these peers may be reached from now on; others are given up.
  virtual void restrict_to(const Permitted& permitted, TimePoint now, ClientOutbox& out) = 0;

  /// 0 while a peer has not said which.
  FlowNo flow() const { return flow_; }
  /// Whether a peer has opened it; else an application has.
  virtual bool serves() const { return false; }
  /// Its number means nothing any more.
  bool is_over() const { return over_; }

 protected:
  void end(ClientCommand last_word, ClientOutbox& out) {
    over_ = true;
    out.commands.push_back(std::move(last_word));
  }
  void end() { over_ = true; }

  const TcpNo number_;
  FlowNo flow_;
  StreamBook& streams_;

 private:
  bool over_ = false;
};

}  // namespace wormhole
