// A stream that a peer has opened, carried to the target of its flow.
//
//   hello ──permitted──► connecting ──connected──► open ──both ends finished──► over
//     └──────────── refused, with the reason ◄─┘
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "client/stream_words.hpp"
#include "client/tcp_bridge.hpp"

namespace wormhole {

/// Where a stream goes.
struct ServePlan {
  Endpoint target;
  std::vector<std::uint8_t> header;  ///< to be said to the target first (PROXY protocol)
};

class TcpServe final : public TcpBridge {
 public:
  /// Where a peer's stream goes, or why not, in a few words.
  using Admit =
      std::function<std::variant<ServePlan, std::string>(const StreamRef&, const StreamHello&)>;

  TcpServe(TcpNo number, const StreamRef& ref, StreamBook& streams, Admit admit)
      : TcpBridge(number, FlowNo{}, streams), ref_(ref), admit_(std::move(admit)) {}

  void on_connected(ClientOutbox& out);
  /// Returns what the peer is told.
  std::string on_failed(const std::string& why);

  bool serves() const override { return true; }
  MutBytes space() override;
  void commit(std::size_t size) override;
  Bytes readable() const override;
  void consume(std::size_t size) override;
  void on_end(ClientOutbox& out) override;
  void on_stream(const StreamRef& ref, const StreamEvent& event, TimePoint now,
                 ClientOutbox& out) override;
  void on_lost(const StreamRef& ref, TimePoint now, ClientOutbox& out) override;
  void tend(TimePoint now, ClientOutbox& out) override;
  void give_up(std::uint64_t code, bool tell, ClientOutbox& out) override;
  void restrict_to(const Permitted& permitted, TimePoint now, ClientOutbox& out) override;

 private:
  enum class Stage : std::uint8_t { kHello, kConnecting, kOpen };

  void read_hello(ClientOutbox& out);
  void refuse(const std::string& why);
  bool header_is_out() const { return header_out_ == plan_.header.size(); }
  void write_pending();
  void finish_stream_if_due();
  StreamConnection* connection() const { return streams_.connection(ref_); }

  const StreamRef ref_;
  const Admit admit_;
  Stage stage_ = Stage::kHello;
  HelloReader reader_;
  StreamHello hello_;
  ServePlan plan_;
  std::size_t header_out_ = 0;
  bool ended_ = false;       ///< the target sends no more
  bool finish_due_ = false;  ///< the peer sends no more, and the target is to be told
  bool finished_ = false;
  /// Of a framed stream: room for one read with its length, how much of it there is, and how much
  /// of that the stream has.
  std::vector<std::uint8_t> frame_;
  std::size_t frame_size_ = 0;
  std::size_t frame_out_ = 0;
};

}  // namespace wormhole
