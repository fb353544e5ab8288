// Options, sockets in namespaces, CPU clocks of other processes, and what one run counts.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
using u64 = uint64_t;
using u32 = uint32_t;
static u64 now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return u64(t.tv_sec) * 1000000000ull + t.tv_nsec;
}
static u64 selfcpu() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return u64(t.tv_sec) * 1000000000ull + t.tv_nsec;
}
[[noreturn]] static void die(const char* w) {
  fprintf(stderr, "udpblast: %s: %s\n", w, strerror(errno));
  exit(1);
}
struct Hdr {
  u32 magic, run;
  u64 seq, ts;
};
static const u32 MAGIC = 0x57424c54;

static std::map<std::string, std::string> opt;
static std::string S(const char* k, const char* d = "") {
  auto i = opt.find(k);
  return i == opt.end() ? d : i->second;
}
static double D(const char* k, double d) {
  auto i = opt.find(k);
  return i == opt.end() ? d : atof(i->second.c_str());
}

static sockaddr_in addr(const std::string& s) {
  auto c = s.rfind(':');
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(atoi(s.c_str() + c + 1));
  if (inet_pton(AF_INET, s.substr(0, c).c_str(), &a.sin_addr) != 1) {
    fprintf(stderr, "bad address %s\n", s.c_str());
    exit(1);
  }
  return a;
}
static void enter(const std::string& ns) {
  if (ns.empty()) return;
  int fd = open(("/var/run/netns/" + ns).c_str(), O_RDONLY);
  if (fd < 0) die(ns.c_str());
  if (setns(fd, CLONE_NEWNET)) die("setns");
  close(fd);
}
static void pin(int cpu) {
  if (cpu < 0) return;
  cpu_set_t c;
  CPU_ZERO(&c);
  CPU_SET(cpu, &c);
  pthread_setaffinity_np(pthread_self(), sizeof c, &c);
}
static int mksock(const std::string& ns,
                  const std::string& bindto) {  // in a helper thread so the caller's netns is kept
  int fd = -1;
  std::thread([&] {
    enter(ns);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    int sz = 16 << 20, one = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &sz, sizeof sz);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sz, sizeof sz);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!bindto.empty()) {
      auto a = addr(bindto);
      if (bind(fd, (sockaddr*)&a, sizeof a)) die(("bind " + bindto).c_str());
    }
  }).join();
  return fd;
}
static std::vector<pid_t> pids;
static u64 pidcpu(pid_t p) {
  clockid_t c;
  timespec t;
  if (clock_getcpuclockid(p, &c) || clock_gettime(c, &t)) return 0;
  return u64(t.tv_sec) * 1000000000ull + t.tv_nsec;
}
static u64 allcpu() {
  u64 s = 0;
  for (auto p : pids) s += pidcpu(p);
  return s;
}

struct Res {
  u64 sent = 0, rx = 0, dup = 0, reord = 0, txns = 0, rxns = 0, cpu = 0, txcpu = 0, rxcpu = 0;
  std::vector<u32> lat;
};
static double pct(std::vector<u32>& v, double p) {
  if (v.empty()) return -1;
  size_t i = std::min(v.size() - 1, size_t(p * v.size()));
  std::nth_element(v.begin(), v.begin() + i, v.end());
  return v[i] / 1000.0;
}

struct Rx {  // counts packets of one run
  u32 run;
  Res& r;
  u64 maxseq = 0;
  bool any = false;
  u64 first = 0, last = 0;
  std::vector<bool> seen;
  void take(const char* p, int n, u64 t) {
    if (n < (int)sizeof(Hdr)) return;
    Hdr h;
    memcpy(&h, p, sizeof h);
    if (h.magic != MAGIC || h.run != run) return;
    if (h.seq >= seen.size()) seen.resize(std::max<size_t>(h.seq + 1, seen.size() * 2 + 1024));
    if (seen[h.seq]) {
      r.dup++;
      return;
    }
    seen[h.seq] = true;
    if (any && h.seq < maxseq)
      r.reord++;
    else {
      maxseq = h.seq;
      any = true;
    }
    if (!first) first = t;
    last = t;
    r.rx++;
    r.lat.push_back(u32(std::min<u64>(t - h.ts, 4000000000ull)));
  }
};
static const int NB = 64, SL = 2048;
struct Batch {
  mmsghdr m[NB];
  iovec v[NB];
  sockaddr_in a[NB];
  char b[NB][SL];
  Batch() {
    memset(m, 0, sizeof m);
    for (int i = 0; i < NB; i++) {
      v[i] = {b[i], SL};
      m[i].msg_hdr.msg_iov = &v[i];
      m[i].msg_hdr.msg_iovlen = 1;
      m[i].msg_hdr.msg_name = &a[i];
      m[i].msg_hdr.msg_namelen = sizeof a[i];
    }
  }
  int recv(int fd) {
    for (int i = 0; i < NB; i++) {
      v[i].iov_len = SL;
      m[i].msg_hdr.msg_namelen = sizeof a[i];
    }
    return recvmmsg(fd, m, NB, MSG_DONTWAIT, nullptr);
  }
};
static int txfd = -1, rxfd = -1;
static sockaddr_in dst;
static int hdrlen = 0;
static u32 runid = 0;
static int wmode = 0;  // 0 sleep 1 poll 2 spin
static void nap(int fd, long ns) {
  timespec t{0, std::max(1000l, ns)};
  if (wmode == 2) return;
  if (wmode == 1 && fd >= 0) {
    pollfd p{fd, POLLIN, 0};
    ppoll(&p, 1, &t, nullptr);
  } else
    nanosleep(&t, nullptr);
}
