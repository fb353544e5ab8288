// A connection that an application has made to a flow with fanout: copy: what it says goes to all
// receivers, each by a stream of its own, and what they say comes back in whole writes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/stream_words.hpp"
#include "client/tcp_bridge.hpp"
#include "client/tcp_dial.hpp"

namespace wormhole {

class TcpCopy final : public TcpBridge {
 public:
  /// What receivers have said and the application has not taken, after which no more is read from
  /// them: some writes of each of a dozen.
  static constexpr std::size_t kMostReplies = 256 * 1024;

  /// All wait so long for a receiver that is behind by its whole buffer to catch up with half of
  /// it: the quickest of equal receivers may be ahead for a moment.
  static constexpr Duration kPatience = 1s;

  /// A receiver refused, was lost, or was cut off for being `too_slow`.
  using OnLeft = std::function<void(const std::string& who_and_why, bool too_slow)>;

  /// `buffer`: how far a receiver may be behind, bytes.
  TcpCopy(TcpNo number, DialPlan plan, std::size_t buffer, StreamBook& streams, OnLeft on_left);

  void begin(TimePoint now, ClientOutbox& out);

  MutBytes space() override;
  void commit(std::size_t size) override;
  Bytes readable() const override { return Bytes(replies_).subspan(replies_out_); }
  void consume(std::size_t size) override;
  void on_end(ClientOutbox& out) override;
  void on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint now,
                 ClientOutbox& out) override;
  void on_lost(const StreamRef& ref, TimePoint now, ClientOutbox& out) override;
  void tend(TimePoint now, ClientOutbox& out) override;
  TimePoint deadline() const override;
  void give_up(std::uint64_t code, bool tell, ClientOutbox& out) override;
  void restrict_to(const Permitted& permitted, TimePoint now, ClientOutbox& out) override;

 private:
  struct Leg {
    std::uint16_t slot = 0;
    StreamRef ref;
    bool gone = false;
    bool opened = false;
    AnswerReader answer;
    bool accepted = false;
    bool finished = false;             ///< it says no more
    bool end_said = false;             ///< it was told that the application says no more
    std::vector<std::uint8_t> behind;  ///< what its stream has not taken
    std::size_t behind_out = 0;
    bool full = false;                ///< behind by the whole buffer, and not yet by half of it
    TimePoint cut_at = kNever;        ///< … since when is known at the next tend()
    std::vector<std::uint8_t> reply;  ///< a read of its target, with its length, as far as it came
    std::size_t lag() const { return behind.size() - behind_out; }
  };

  Leg* find(const StreamRef& ref);
  void open_waiting(TimePoint now);
  bool open(Leg& leg);
  void feed(Leg& leg, Bytes bytes);
  void catch_up(Leg& leg);
  void cut_slow(TimePoint now, ClientOutbox& out);
  void take_replies(Leg& leg);
  bool take_answer(Leg& leg);
  void leave(Leg& leg, const std::string& why, bool too_slow = false);
  void settle(ClientOutbox& out);
  StreamConnection* connection(const Leg& leg) const {
    return leg.opened ? streams_.connection(leg.ref) : nullptr;
  }

  DialPlan plan_;
  const std::size_t buffer_;
  const OnLeft on_left_;
  std::vector<Leg> legs_;
  std::vector<std::uint8_t> incoming_;  ///< room for one read of the application's socket
  std::vector<std::uint8_t> replies_;   ///< whole ones
  std::size_t replies_out_ = 0;
  TimePoint due_ = kNever;  ///< who has no stream by then is left out
  bool ended_ = false;
  bool finish_said_ = false;
};

}  // namespace wormhole
