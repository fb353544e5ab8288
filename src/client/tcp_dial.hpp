// A connection that an application has made to a flow's port, carried by one stream to the first
// peer that answers.
//
//   waiting ──connection is up──► asked ──accepted──► open ──both ends finished──► over
//      └──────── next candidate ◄───┘ refused, lost, or too late
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client/stream_words.hpp"
#include "client/tcp_bridge.hpp"

namespace wormhole {

/// Whom an application may reach.
struct DialPlan {
  FlowNo flow;
  StreamClass group = StreamClass::kUsual;
  std::vector<std::uint16_t> slots;  ///< in order of preference
  std::uint16_t application_port = 0;
};

class TcpDial final : public TcpBridge {
 public:
  /// A peer that is online but has no connection yet (a client has just started) is waited for.
  static constexpr Duration kUpLimit = 5s;
  /// … and a candidate that does not answer while there are others. A target answers at once or is
  /// dead; the path's round trip is a part of this.
  static constexpr Duration kAnswerLimit = 3s;
  /// What the application says before the answer is kept for the next candidate: one first request.
  static constexpr std::size_t kMostKept = 16 * 1024;

  /// Told once, when nobody can be reached.
  using OnRefused = std::function<void(const std::string& why)>;

  TcpDial(TcpNo number, DialPlan plan, StreamBook& streams, OnRefused on_refused)
      : TcpBridge(number, plan.flow, streams),
        plan_(std::move(plan)),
        on_refused_(std::move(on_refused)) {}

  /// Goes to the first candidate.
  void begin(TimePoint now, ClientOutbox& out) { try_next(now, out); }

  MutBytes space() override;
  void commit(std::size_t size) override;
  Bytes readable() const override;
  void consume(std::size_t size) override;
  void on_end(ClientOutbox& out) override;
  void on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint now,
                 ClientOutbox& out) override;
  void on_lost(const StreamRef& ref, TimePoint now, ClientOutbox& out) override;
  void tend(TimePoint now, ClientOutbox& out) override;
  TimePoint deadline() const override { return due_; }
  void give_up(std::uint64_t code, bool tell, ClientOutbox& out) override;
  void restrict_to(const Permitted& permitted, TimePoint now, ClientOutbox& out) override;

 private:
  enum class Stage : std::uint8_t { kWaiting, kAsked, kOpen };

  bool has_others() const { return next_ < plan_.slots.size(); }
  void try_next(TimePoint now, ClientOutbox& out);
  bool wait_or_ask(TimePoint now);
  bool ask(TimePoint now);
  void abandon(std::uint64_t code);
  void leave_candidate(const std::string& why, TimePoint now, ClientOutbox& out);
  void read_answer(TimePoint now, ClientOutbox& out);
  void on_finished(ClientOutbox& out);
  StreamConnection* connection() const { return streams_.connection(ref_); }

  DialPlan plan_;
  const OnRefused on_refused_;
  Stage stage_ = Stage::kWaiting;
  std::size_t next_ = 0;  ///< candidates from here on have not been tried
  std::uint16_t slot_ = 0;
  StreamRef ref_;  ///< of kAsked and kOpen
  AnswerReader answer_;
  TimePoint due_ = kNever;
  std::vector<std::uint8_t> kept_;
  std::string why_;  ///< what the last candidate said
  bool ended_ = false;
  bool finished_ = false;
};

}  // namespace wormhole
