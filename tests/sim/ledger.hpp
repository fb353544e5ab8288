// Every application datagram that was sent, and what became of it: the judge of deliveries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole::sim {

/// True when the routes of `network` let `from` send to `to` on that flow. Written apart from the
/// product's own resolving, so that one checks the other.
bool permitted(const wormhole::Network& network, const std::string& flow, const std::string& from,
               const std::string& to);

class Ledger {
 public:
  /// The smallest payload: it carries its own number.
  static constexpr std::size_t kMinSize = 8;
  /// A permission that is taken away holds this long for what is under way.
  static constexpr Duration kGrace = 1s;

  struct Delivery {
    std::string id;
    Endpoint application;
    TimePoint at;
  };
  struct Record {
    std::string from;  ///< the client's ID
    std::string flow;
    std::size_t size = 0;
    TimePoint at;
    std::vector<Delivery> deliveries;
  };

  void set_network(wormhole::Network network, TimePoint now);
  const wormhole::Network& network() const { return network_; }

  /// Writes down a new datagram and returns its payload.
  std::vector<std::uint8_t> make(const std::string& from, const std::string& flow, std::size_t size,
                                 TimePoint now);
  /// Judges a delivery to an application of the client `id`; what is wrong with it, or nothing.
  std::optional<std::string> deliver(const std::string& id, const std::string& flow,
                                     const Endpoint& application, Bytes bytes, TimePoint now);

  /// A flow that is impaired on purpose: behind their number its datagrams may be altered, and they
  /// may come twice; that is counted.
  void expect_impaired(const std::string& flow) { impaired_ = flow; }
  std::size_t altered() const { return altered_; }
  std::size_t repeated() const { return repeated_; }

  const std::vector<Record>& records() const { return records_; }
  /// Datagrams of `from` on `flow`, sent in [since, until).
  std::size_t sent(const std::string& from, const std::string& flow, TimePoint since = {},
                   TimePoint until = kNever) const;
  /// Those of them that reached somebody.
  std::size_t delivered(const std::string& from, const std::string& flow, TimePoint since = {},
                        TimePoint until = kNever) const;
  /// Which of them did not, for messages: number and time after `start`.
  std::string missing(const std::string& from, const std::string& flow, TimePoint start) const;

 private:
  static void fill(std::vector<std::uint8_t>& payload, std::uint64_t number);
  bool was_permitted(const Record& record, const std::string& to, TimePoint now) const;

  wormhole::Network network_;
  wormhole::Network previous_;
  TimePoint changed_at_{};
  std::vector<Record> records_;
  std::string impaired_;
  std::size_t altered_ = 0;
  std::size_t repeated_ = 0;
};

}  // namespace wormhole::sim
