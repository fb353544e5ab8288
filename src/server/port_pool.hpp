// The relay ports of the server: which are open under which socket number, and for whom.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

class PortPool {
 public:
  /// A member of a flow, by numbers: neither must outlive the other.
  struct Member {
    ClientNo client;
    FlowNo flow;
    bool operator==(const Member&) const = default;
  };
  struct Lease {
    SocketNo socket;
    std::uint16_t port = 0;
    bool is_new = false;   ///< to be opened by the caller
    bool is_open = false;  ///< else on_opened or on_refused follows
  };
  /// A port that another program holds is tried again after this; programs run for hours.
  static constexpr Duration kTakenFor = 10min;

  /// Socket numbers from `first` on are the pool's.
  explicit PortPool(SocketNo first) : first_(first) {}

  /// A port of the server's address at position `address` for a member: a free one of the range in
  /// turn (so that a port rests before its next owner), else one that others use as well. Nothing
  /// when other programs hold the whole range, or socket numbers are used up.
  std::optional<Lease> take(std::uint16_t address, PortRange range, const Member& member,
                            TimePoint now);
  /// True when nobody uses the socket any more: it is to be closed.
  bool give_back(SocketNo socket, const Member& member);
  void on_opened(SocketNo socket);
  /// The socket could not be opened; `taken` by another program, or else for want of something.
  /// Returns the members that waited for it.
  std::vector<Member> on_refused(SocketNo socket, bool taken, TimePoint now);

  /// Who uses the socket; empty when it is not the pool's. Until the next change.
  std::span<const Member> members(SocketNo socket) const;
  bool owns(SocketNo socket) const { return socket.value >= first_.value; }
  std::size_t open_ports() const { return places_.size(); }
  /// Members that have a port together with others.
  std::size_t sharing_members() const;

 private:
  using Place = std::pair<std::uint16_t, std::uint16_t>;  // address position, port
  struct Entry {
    Place place;
    std::size_t turn = 0;  // its range, in turns_
    bool is_open = false;
    std::vector<Member> members;
  };
  /// Where the search in a range goes on.
  struct Turn {
    std::uint16_t address = 0;
    PortRange range;
    std::uint16_t next = 0;
    std::size_t used = 0;  // ports of it in places_
  };

  std::size_t turn_of(std::uint16_t address, PortRange range);
  std::size_t taken_in(const Turn& turn, TimePoint now);
  std::optional<std::uint16_t> free_port(Turn& turn, TimePoint now);
  std::optional<SocketNo> shared_socket(Turn& turn);
  std::optional<SocketNo> free_socket();
  Entry& entry(SocketNo socket) { return entries_[socket.value - std::size_t{first_.value}]; }
  void remove(SocketNo socket);

  SocketNo first_;
  std::vector<Entry> entries_;  // by socket number; without members: free
  std::vector<SocketNo> free_;  // numbers within entries_
  std::map<Place, SocketNo> places_;
  std::map<Place, TimePoint> taken_;  // by other programs, until then
  std::vector<Turn> turns_;           // at most two ranges for each address
};

}  // namespace wormhole
