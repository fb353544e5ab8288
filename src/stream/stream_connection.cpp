#include "wormhole/stream/stream_connection.hpp"

#include "stream/machine.hpp"

namespace wormhole {

StreamConnection::StreamConnection(const StreamConfig& config, Rng& rng, TimePoint now)
    : machine_(std::make_unique<Machine>(config, rng, now)) {}
StreamConnection::~StreamConnection() = default;

StreamState StreamConnection::state() const { return machine_->state(); }
StreamStatistics StreamConnection::statistics() const { return machine_->statistics(); }

void StreamConnection::on_datagram(MutBytes with_tail, TimePoint now) {
  machine_->on_datagram(with_tail, now);
}
std::size_t StreamConnection::next_datagram(MutBytes room, TimePoint now) {
  return machine_->next_datagram(room, now);
}
void StreamConnection::on_timeout(TimePoint now) { machine_->on_timeout(now); }
TimePoint StreamConnection::next_deadline() const { return machine_->next_deadline(); }
void StreamConnection::on_path_back() { machine_->on_path_back(); }
void StreamConnection::on_path_change() { machine_->on_path_change(); }
void StreamConnection::set_max_datagram(std::size_t size) { machine_->set_max_datagram(size); }
void StreamConnection::close() { machine_->close(); }

std::optional<StreamId> StreamConnection::open() { return machine_->open(); }
MutBytes StreamConnection::write_space(StreamId stream) { return machine_->write_space(stream); }
void StreamConnection::commit(StreamId stream, std::size_t size) { machine_->commit(stream, size); }
std::size_t StreamConnection::write(StreamId stream, Bytes bytes) {
  return machine_->write(stream, bytes);
}
void StreamConnection::finish(StreamId stream) { machine_->finish(stream); }
Bytes StreamConnection::readable(StreamId stream) const { return machine_->readable(stream); }
void StreamConnection::consume(StreamId stream, std::size_t size) {
  machine_->consume(stream, size);
}
void StreamConnection::stop_reading(StreamId stream) { machine_->stop_reading(stream); }
void StreamConnection::reset(StreamId stream, std::uint64_t code) { machine_->reset(stream, code); }
std::optional<StreamEvent> StreamConnection::next_event() { return machine_->next_event(); }

}  // namespace wormhole
