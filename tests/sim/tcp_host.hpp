// The TCP applications of one machine: those that dial a flow's port, and the services behind its
// targets. They write known bytes and judge what they read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.hpp"
#include "wormhole/client/client.hpp"

namespace wormhole::sim {

/// One end of a TCP connection as its application sees it.
struct TcpTalk {
  std::uint64_t conversation = 0;  ///< the dialler's first 8 bytes
  std::string flow;                ///< of a dialler
  bool dials = false;
  bool open = false;  ///< a service: connected
  std::size_t to_write = 0;
  std::size_t written = 0;
  bool finishes = true;  ///< after the last byte
  bool finish_said = false;
  bool reads = true;
  std::size_t read = 0;
  bool corrupt = false;
  bool ended = false;   ///< FIN came
  bool reset = false;   ///< RST came
  bool closed = false;  ///< its socket is gone, in order
  TimePoint began{};
  TimePoint first_byte = kNever;
  TimePoint last_byte = kNever;
  bool is_over() const { return reset || closed; }
};

class TcpHost {
 public:
  /// What a target does with a connection.
  enum class Service : std::uint8_t { kAccepts, kSpeaksFirst, kRefuses, kIsSilent };
  /// What kSpeaksFirst says, whatever the conversation.
  static constexpr std::string_view kBanner = "SSH-2.0-OpenSSH_9.2\r\n";
  static constexpr std::size_t kHello = 8;

  /// `settle` empties the tray.
  TcpHost(World& world, std::string name, std::function<void()> settle)
      : world_(world), name_(std::move(name)), settle_(std::move(settle)) {}

  /// The process with this core begins, or (null) has ended: its connections are gone.
  void attach(Client* core, ClientOutbox* out);
  void listen(AppPort port, const std::string& flow) { ports_[flow] = port; }
  void stop_listening(AppPort port);

  /// An application connects to the flow's port and will write `bytes` (at least kHello) of the
  /// conversation's pattern. Null: nobody listens, or it was reset at once.
  TcpTalk* dial(const std::string& flow, std::uint64_t conversation, std::size_t bytes,
                bool finishes = true, ClientNo peer = {});
  /// An application gives its connection up.
  void reset(TcpTalk& talk);
  /// Goes on writing and reading after the talk was changed.
  void go_on(TcpTalk& talk);
  /// Takes at most `most` bytes although it does not read.
  void read_some(TcpTalk& talk, std::size_t most);

  void execute(const ConnectTarget& command);
  void execute(const TcpReadable& command);
  void execute(const TcpWritable& command);
  void execute(const FinishTcp& command);
  void execute(const CloseTcp& command);
  void execute(const ResetTcp& command);

  /// By target; others accept.
  std::map<std::uint16_t, Service> services;
  /// What a service does with a connection once it knows the conversation.
  std::function<void(TcpTalk& talk)> on_conversation;
  std::map<TcpNo, TcpTalk> talks;
  /// The talk of a conversation; null when there is none.
  TcpTalk* find(std::uint64_t conversation);
  /// Takes the bytes that are read here instead of judging them.
  std::function<void(TcpTalk& talk, Bytes bytes)> on_bytes;

 private:
  void pump(TcpNo number, TcpTalk& talk);
  void write(TcpNo number, TcpTalk& talk);
  void read(TcpNo number, TcpTalk& talk, std::size_t most);
  void judge(TcpTalk& talk, Bytes bytes);
  TcpNo number_of(const TcpTalk& talk) const;

  World& world_;
  std::string name_;
  std::function<void()> settle_;
  Client* core_ = nullptr;
  ClientOutbox* out_ = nullptr;
  std::map<std::string, AppPort> ports_;
  std::vector<std::map<TcpNo, TcpTalk>::node_type> past_;  ///< of processes before
  std::uint64_t process_ = 0;
};

/// Byte `offset` of what a side of a conversation says.
std::uint8_t tcp_pattern(std::uint64_t conversation, bool dials, std::size_t offset);

}  // namespace wormhole::sim
