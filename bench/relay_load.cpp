// Loads a server with the frames of real clients, and says what that costs it. bench/relay.py runs
// it:
//
//   relay_load prepare DIR SERVER KIND N     makes DIR/state and DIR/routes.yaml
//   relay_load idle    DIR SERVER KIND N PID SECONDS
//   relay_load run     DIR SERVER KIND N PID SECONDS RATE BURST
//   relay_load search  DIR SERVER KIND N PID SECONDS START BURST
//
// KIND is flows (N flows between two clients), clients (N clients, a flow for each two) or
// receivers (one flow to N). The clients are cores in this process; each flow's sender seals one
// datagram of 1,200 bytes, and its frames are then sent again and again, in turn, at RATE
// deliveries a second: the relay checks a frame's tag, not whether it has seen it, so that the load
// costs this process no cryptography. (Of a group's frames it does take note: for receivers as many
// are sealed before the run as it sends.) BURST frames in a row leave as one UDP_SEGMENT
// send. PID is the server, whose CPU time is read before and after. One line of JSON.
#include <netinet/udp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "crowd.hpp"
#include "shell/clock.hpp"
#include "shell/descriptor_limit.hpp"
#include "shell/socket_address.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {
namespace {

/// Under load the receiving thread naps instead of waiting, so that the server does not pay for
/// waking it: as udpblast does for the rivals.
constexpr Duration kNap = 30us;
constexpr double kMostLoss = 0.001;  // as the rivals' loss-free rate is found
constexpr int kSteady = 20;  // 4 s: a thousand receivers agree on their groups one after the other
constexpr int kSealTries = 900;  // 3 min: handshakes and groups of a thousand peers
constexpr int kSenderCore = 3;   // the receiving thread has core 2, the server core 0

struct Job {
  std::string dir;
  Endpoint server;
  std::string kind;
  std::size_t n = 0;
  pid_t pid = 0;
  double seconds = 1;
  double rate = 0;
  std::size_t burst = 1;
};

std::size_t clients_of(const Job& job) {
  if (job.kind == "flows") return 2;
  return job.kind == "receivers" ? job.n + 1 : std::max<std::size_t>(job.n, 2);
}

int prepare(const Job& job) {
  auto text = begin_routes(job.dir, job.server, "", clients_of(job));
  if (text.empty()) return 1;
  const auto flow = [&](std::size_t n, const std::string& from, const std::string& to) {
    text += "  f" + std::to_string(n) + ": {protocol: udp, port: " + std::to_string(20000 + n) +
            ", from: " + from + ", to: " + to + "}\n";
  };
  if (job.kind == "receivers") {
    std::string all;
    for (std::size_t n = 1; n <= job.n; ++n) all += (n > 1 ? ", " : "[") + id_of(n);
    flow(0, id_of(0), all + "]");
  } else if (job.kind == "flows") {
    for (std::size_t n = 0; n < job.n; ++n) flow(n, id_of(0), id_of(1));
  } else {
    for (std::size_t n = 0; n + 1 < clients_of(job); n += 2) flow(n / 2, id_of(n), id_of(n + 1));
  }
  std::ofstream(job.dir + "/routes.yaml") << text;
  return 0;
}

/// One frame as its client sent it.
struct Frame {
  int fd;
  SocketAddress to;
  std::vector<std::uint8_t> bytes;  ///< of a burst, one behind the other
  std::uint16_t size;
};

double cpu_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0) return 0;
  ::clock_gettime(clock, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double memory_mib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Pss:")) return std::strtod(line.c_str() + 4, nullptr) / 1024;
  }
  return 0;
}

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set,
                           &set);  // where there is no such core: anywhere
}

class Load {
 public:
  explicit Load(const Job& job) : job_(job), crowd_(job.dir, clients_of(job), job.server) {
    crowd_.connect();
    idle(2);  // rosters, and handshakes between those that will talk
  }

  void idle(double seconds) {
    const auto until =
        core_now() + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    while (core_now() < until) crowd_.turn();
  }

  /// The senders' frames. Tried until their number has been the same for a while: every peer is
  /// within reach then.
  void seal() {
    std::size_t flows = 0;
    std::size_t before = 0;
    for (int same = 0, tries = 0; same < kSteady; ++tries) {
      if (tries == kSealTries) std::fprintf(stderr, "relay_load: no steady frames\n"), std::exit(1);
      frames_.clear();
      flows = 0;
      for (auto& member : crowd_.members) flows += seal_of(*member);
      same = frames_.empty() || frames_.size() != before || !reaches_all() ? 0 : same + 1;
      before = frames_.size();
      idle(0.2);
    }
    idle(0.3);
    const auto deliveries = job_.kind == "receivers" ? job_.n : flows;
    copies_ = static_cast<double>(deliveries) / static_cast<double>(frames_.size());
  }

  struct Outcome {
    std::size_t sent = 0;
    std::uint64_t received = 0;
    double seconds = 0;  ///< of sending
    double cpu = 0;      ///< of the server, s
  };

  /// Sends at `rate` and counts what comes back.
  Outcome send(double rate, double seconds) {
    Outcome outcome;
    if (job_.kind == "receivers") seal_anew(rate * seconds);
    idle(0.05);  // what the last run or a path search has left
    crowd_.counting = true;
    const auto before = crowd_.data_received;
    const auto cpu = cpu_of(job_.pid);
    std::atomic<bool> done{false};
    std::thread sender([&] {
      pin(kSenderCore);
      blast(rate, seconds, outcome);
      done = true;
    });
    while (!done) {
      crowd_.turn(0);
      std::this_thread::sleep_for(kNap);
    }
    sender.join();
    idle(0.1);  // what is still under way
    crowd_.counting = false;
    outcome.cpu = cpu_of(job_.pid) - cpu;
    outcome.received = crowd_.data_received - before;
    return outcome;
  }

  double loss(const Outcome& outcome) const {
    return 1 -
           static_cast<double>(outcome.received) / (static_cast<double>(outcome.sent) * copies_);
  }

  void show(const Outcome& outcome, const char* more = "") const {
    std::printf(
        "{\"kind\":\"%s\",\"n\":%zu,\"burst\":%zu,\"frames\":%zu,\"copies\":%.2f,\"sent\":%zu,"
        "\"sent_pps\":%.0f,\"received\":%llu,\"loss\":%.5f,\"cpu_us_copy\":%.3f,"
        "\"cpu_us_frame\":%.3f,\"cores\":%.3f%s}\n",
        job_.kind.c_str(), job_.n, job_.burst, frames_.size(), copies_, outcome.sent,
        static_cast<double>(outcome.sent) / outcome.seconds,
        static_cast<unsigned long long>(outcome.received), loss(outcome),
        outcome.cpu * 1e6 / static_cast<double>(std::max<std::uint64_t>(1, outcome.received)),
        outcome.cpu * 1e6 / static_cast<double>(outcome.sent), outcome.cpu / outcome.seconds, more);
  }

 private:
  /// Of one flow to several receivers: whether as few frames as can be serve all of them.
  bool reaches_all() const {
    if (job_.kind != "receivers" || job_.n == 1) return true;
    const auto status = crowd_.members.front()->core->status(core_now());
    const auto& spread = status.flows.front().spread;
    // Fewer: some travel in fragments, until it is known how much their receivers' ways carry.
    const auto uploads = (job_.n + kMaxGroup - 1) / kMaxGroup;
    return spread && spread->grouped == job_.n && frames_.size() == uploads;
  }

  /// Lets a member send one datagram on each of its flows; keeps the frames. How many flows.
  std::size_t seal_of(Member& member) {
    std::size_t flows = 0;
    for (const auto& flow : member.flows) {
      std::vector<std::uint8_t> room(kHeadroom + Crowd::kDataSize + kTailroom);
      const AppDatagram datagram{Endpoint{IpAddress::v4(127, 0, 0, 1), 9},
                                 MutBytes(room).subspan(kHeadroom, Crowd::kDataSize)};
      member.core->on_app_datagrams(flow.port, {&datagram, 1}, core_now(), crowd_.out);
      bool any = false;
      for (const auto& send : crowd_.out.net_sends()) {
        if (send.bytes.size() < Crowd::kDataSize) continue;
        any = true;
        Frame frame{member.fd.get(),
                    SocketAddress(send.to),
                    {},
                    static_cast<std::uint16_t>(send.bytes.size())};
        for (std::size_t i = 0; i < job_.burst; ++i) {
          frame.bytes.insert(frame.bytes.end(), send.bytes.begin(), send.bytes.end());
        }
        frames_.push_back(std::move(frame));
      }
      flows += any ? 1 : 0;
      crowd_.settle(member);
    }
    return flows;
  }

  /// The server takes a group's frame only once: as many as the run will send, in their order.
  void seal_anew(double deliveries) {
    auto& member = *crowd_.members.front();
    constexpr std::size_t kStride = kHeadroom + Crowd::kDataSize + kTailroom;
    std::vector<std::uint8_t> room(job_.burst * kStride);
    frames_.clear();
    const auto now = core_now();
    for (double sealed = 0; sealed < deliveries;
         sealed += static_cast<double>(job_.n * job_.burst)) {
      std::vector<AppDatagram> batch;
      for (std::size_t i = 0; i < job_.burst; ++i) {
        batch.push_back({Endpoint{IpAddress::v4(127, 0, 0, 1), 9},
                         MutBytes(room).subspan(i * kStride + kHeadroom, Crowd::kDataSize)});
      }
      member.core->on_app_datagrams(member.flows.front().port, batch, now, crowd_.out);
      for (const auto& send : crowd_.out.net_sends()) {
        if (send.bytes.size() >= Crowd::kDataSize) append(member.fd.get(), send);
      }
      crowd_.out.clear();
    }
  }

  /// Behind the frames of the last burst while there is room and the size is the same.
  void append(int fd, const NetSend& send) {
    const auto size = static_cast<std::uint16_t>(send.bytes.size());
    if (frames_.empty() || frames_.back().size != size ||
        frames_.back().bytes.size() == job_.burst * size) {
      frames_.push_back({fd, SocketAddress(send.to), {}, size});
    }
    auto& bytes = frames_.back().bytes;
    bytes.insert(bytes.end(), send.bytes.begin(), send.bytes.end());
  }

  void blast(double rate, double seconds, Outcome& outcome) {
    rate /= copies_;
    const auto start = core_now();
    const auto total = static_cast<std::size_t>(rate * seconds);
    for (std::size_t at = 0; outcome.sent < total; at = (at + 1) % frames_.size()) {
      const auto due = std::chrono::duration<double>(static_cast<double>(outcome.sent) / rate);
      while (core_now() - start < due) std::this_thread::yield();
      if (core_now() - start > std::chrono::duration<double>(seconds * 1.3)) break;
      if (!send_one(frames_[at])) continue;
      outcome.sent += frames_[at].bytes.size() / frames_[at].size;
    }
    outcome.seconds = std::chrono::duration<double>(core_now() - start).count();
  }

  bool send_one(Frame& frame) const {
    msghdr header{};
    iovec part{frame.bytes.data(), frame.bytes.size()};
    header.msg_name = frame.to.data();
    header.msg_namelen = frame.to.size();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof frame.size)] = {};
    if (frame.bytes.size() > frame.size) {
      header.msg_control = control;
      header.msg_controllen = sizeof control;
      auto* segment = CMSG_FIRSTHDR(&header);
      segment->cmsg_level = SOL_UDP;
      segment->cmsg_type = UDP_SEGMENT;
      segment->cmsg_len = CMSG_LEN(sizeof frame.size);
      std::memcpy(CMSG_DATA(segment), &frame.size, sizeof frame.size);
    }
    return ::sendmsg(frame.fd, &header, 0) > 0;
  }

  Job job_;
  Crowd crowd_;
  std::vector<Frame> frames_;
  double copies_ = 1;  ///< deliveries for each frame
};

/// The highest rate without loss, in steps of a tenth; two tries each, for the machine is shared.
void search(Load& load, const Job& job) {
  Load::Outcome best;
  for (double rate = job.rate; rate < 2e6; rate *= 1.1) {
    bool passed = false;
    for (int tries = 0; tries < 3 && !passed; ++tries) {
      const auto outcome = load.send(rate, job.seconds);
      const bool kept_up = static_cast<double>(outcome.received) >= 0.97 * rate * job.seconds;
      passed = kept_up && load.loss(outcome) <= kMostLoss;
      if (passed) best = outcome;
    }
    if (!passed) break;
  }
  if (best.sent == 0) best = load.send(job.rate, job.seconds);
  load.show(best);
}

int work(const std::string& what, const Job& job) {
  if (what == "prepare") return prepare(job);
  raise_descriptor_limit();
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns; naps last as long as they say
  pin(2);
  Load load(job);
  if (what == "idle") {
    load.idle(job.seconds);  // what follows a start has ended: checks of NATs, searches for paths
    const auto cpu = cpu_of(job.pid);
    load.idle(job.seconds);
    std::printf("{\"kind\":\"%s\",\"n\":%zu,\"cpu_percent\":%.3f,\"pss_mib\":%.1f}\n",
                job.kind.c_str(), job.n, 100 * (cpu_of(job.pid) - cpu) / job.seconds,
                memory_mib(job.pid));
    return 0;
  }
  load.seal();
  if (what == "search") return search(load, job), 0;
  load.show(load.send(job.rate, job.seconds));
  return 0;
}

}  // namespace
}  // namespace wormhole

int main(int argc, char** argv) {
  using namespace wormhole;
  crypto_init();
  const auto server = argc > 5 ? Endpoint::parse(argv[3]) : std::nullopt;
  if (!server) {
    std::fprintf(stderr, "see the head of relay_load.cpp\n");
    return 2;
  }
  const auto number = [&](int at, double otherwise) {
    return argc > at ? std::strtod(argv[at], nullptr) : otherwise;
  };
  return work(argv[1], {argv[2], *server, argv[4], std::strtoul(argv[5], nullptr, 10),
                        static_cast<pid_t>(number(6, 0)), number(7, 1), number(8, 1000),
                        static_cast<std::size_t>(number(9, 1))});
}
