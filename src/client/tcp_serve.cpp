#include "client/tcp_serve.hpp"

#include <utility>

namespace wormhole {

// --- The beginning ----------------------------------------------------------

void TcpServe::read_hello(ClientOutbox& out) {
  auto& stream = *connection();
  while (!reader_.is_complete()) {
    const auto bytes = stream.readable(ref_.id);
    if (bytes.empty()) return;  // kReadable comes again, for all has been taken
    stream.consume(ref_.id, reader_.take(bytes));
  }
  streams_.touch(ref_.slot);
  const auto hello = reader_.hello();
  if (!hello) return refuse("it does not understand this client's version");
  hello_ = *hello;
  flow_ = hello_.flow;
  auto plan = admit_(ref_, hello_);
  if (const auto* why = std::get_if<std::string>(&plan)) return refuse(*why);
  plan_ = std::get<ServePlan>(std::move(plan));
  stage_ = Stage::kConnecting;
  if (hello_.framed) frame_.resize(kFrameLength + kMaxFrame);
  out.commands.emplace_back(ConnectTarget{number_, plan_.target});
}

/// The stream goes on by itself until the peer has the answer.
void TcpServe::refuse(const std::string& why) {
  streams_.release(ref_);
  streams_.touch(ref_.slot);
  end();
  auto* stream = connection();
  if (stream == nullptr) return;
  const auto answer = encode_refusal(why);
  stream->write(ref_.id, answer);
  stream->finish(ref_.id);
  stream->stop_reading(ref_.id);
}

void TcpServe::on_connected(ClientOutbox& out) {
  auto* stream = connection();
  if (stream == nullptr || stage_ != Stage::kConnecting) return;
  stage_ = Stage::kOpen;
  stream->write(ref_.id, Bytes(&kStreamAccepted, 1));
  streams_.touch(ref_.slot);
  if (!readable().empty()) out.commands.emplace_back(TcpReadable{number_});
  tend({}, out);
}

std::string TcpServe::on_failed(const std::string& why) {
  auto text = plan_.target.to_string() + ": " + why;
  if (stage_ == Stage::kConnecting) refuse(text);
  return text;
}

// --- What the peer says -----------------------------------------------------

void TcpServe::on_stream(const StreamRef& /*ref*/, const StreamEvent& event, TimePoint now,
                         ClientOutbox& out) {
  using Kind = StreamEvent::Kind;
  switch (event.kind) {
    case Kind::kReadable:
      if (stage_ == Stage::kHello) return read_hello(out);
      if (stage_ == Stage::kOpen) out.commands.emplace_back(TcpReadable{number_});
      break;
    case Kind::kWritable:
      write_pending();
      finish_stream_if_due();
      if (frame_size_ == 0) out.commands.emplace_back(TcpWritable{number_});
      break;
    case Kind::kFinished:
      if (stage_ == Stage::kHello) return refuse("nothing was asked");
      finish_due_ = true;
      return tend(now, out);
    case Kind::kReset:
      streams_.release(ref_);
      if (stage_ == Stage::kHello) return end();
      return end(ResetTcp{number_}, out);
    case Kind::kStopped:
      return give_up(kGivenUp, stage_ != Stage::kHello, out);
    case Kind::kOpened:
    case Kind::kClosed:
      break;
  }
}

void TcpServe::on_lost(const StreamRef& ref, TimePoint /*now*/, ClientOutbox& out) {
  streams_.release(ref);
  if (stage_ == Stage::kHello) return end();
  end(ResetTcp{number_}, out);
}

/// The target hears the end when it has everything.
void TcpServe::tend(TimePoint /*now*/, ClientOutbox& out) {
  if (!finish_due_ || stage_ != Stage::kOpen || !header_is_out()) return;
  finish_due_ = false;
  finished_ = true;
  if (!ended_) {
    out.commands.emplace_back(FinishTcp{number_});
  } else if (frame_size_ == 0) {
    streams_.release(ref_);
    end(CloseTcp{number_}, out);
  }
}

// --- What the target says ---------------------------------------------------

MutBytes TcpServe::space() {
  auto* stream = stage_ != Stage::kOpen || ended_ ? nullptr : connection();
  if (stream == nullptr) return {};
  if (!hello_.framed) return stream->write_space(ref_.id);
  if (frame_size_ > 0) return {};  // kWritable will tell
  return MutBytes(frame_).subspan(kFrameLength);
}

void TcpServe::commit(std::size_t size) {
  streams_.touch(ref_.slot);
  if (!hello_.framed) return connection()->commit(ref_.id, size);
  frame_size_ = kFrameLength + size;
  store_le(frame_.data(), static_cast<std::uint16_t>(size));
  frame_out_ = 0;
  write_pending();
}

void TcpServe::write_pending() {
  auto* stream = connection();
  if (frame_size_ == 0 || stream == nullptr) return;
  const auto rest = Bytes(frame_).first(frame_size_).subspan(frame_out_);
  frame_out_ += stream->write(ref_.id, rest);
  if (frame_out_ == frame_size_) frame_size_ = 0;
}

Bytes TcpServe::readable() const {
  if (stage_ != Stage::kOpen) return {};
  if (!header_is_out()) return Bytes(plan_.header).subspan(header_out_);
  const auto* stream = connection();
  return stream == nullptr ? Bytes{} : stream->readable(ref_.id);
}

void TcpServe::consume(std::size_t size) {
  streams_.touch(ref_.slot);
  if (header_is_out()) return connection()->consume(ref_.id, size);
  header_out_ += size;
}

void TcpServe::on_end(ClientOutbox& out) {
  ended_ = true;
  finish_stream_if_due();
  if (!finished_ || frame_size_ > 0) return;
  streams_.release(ref_);
  end(CloseTcp{number_}, out);
}

void TcpServe::finish_stream_if_due() {
  auto* stream = connection();
  if (!ended_ || frame_size_ > 0 || stream == nullptr) return;
  stream->finish(ref_.id);
  streams_.touch(ref_.slot);
}

void TcpServe::give_up(std::uint64_t code, bool tell, ClientOutbox& out) {
  streams_.release(ref_);
  if (auto* stream = connection()) stream->reset(ref_.id, code);
  streams_.touch(ref_.slot);
  if (tell) return end(ResetTcp{number_}, out);
  end();
}

void TcpServe::restrict_to(const Permitted& permitted, TimePoint /*now*/, ClientOutbox& out) {
  if (!permitted(ref_.slot)) give_up(kGivenUp, stage_ != Stage::kHello, out);
}

}  // namespace wormhole
