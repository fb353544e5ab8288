// udpsys: cost of UDP syscalls over a veth pair between two namespaces, one pinned thread:
// send a batch (the softirq receive path runs inside send), then receive it.  ns of thread CPU /
// packet.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif
static void die(const char* s) {
  perror(s);
  exit(1);
}
static double cpu() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}
static int sock(const char* ns, const char* ip, int port) {
  int fd;
  std::thread([&] {
    int n = open((std::string("/var/run/netns/") + ns).c_str(), O_RDONLY);
    if (n < 0 || setns(n, CLONE_NEWNET)) die("setns");
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    int z = 16 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &z, sizeof z);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &z, sizeof z);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    inet_pton(AF_INET, ip, &a.sin_addr);
    if (bind(fd, (sockaddr*)&a, sizeof a)) die("bind");
  }).join();
  return fd;
}
static const int K = 32, L = 1200;
static char buf[K * 65536 / 8];
static char in[64][65536];
static sockaddr_in dst;
static void sh(const char* c) {
  if (system(c)) fprintf(stderr, "failed: %s\n", c);
}
static void round(const char* name, std::function<void()> snd, std::function<int()> rcv,
                  int npk = K) {
  std::vector<double> s, r;
  int lost = 0;
  for (int i = 0; i < 3000; i++) {
    double a = cpu();
    snd();
    double b = cpu();
    int got = 0, idle = 0;
    double c = b, rc = 0;
    while (got < npk && idle < 200) {
      c = cpu();
      int n = rcv();
      if (n > 0) {
        rc += cpu() - c;
        got += n;
      } else {
        idle++;
        usleep(10);
      }
    }
    lost += npk - got;
    if (i > 100) {
      s.push_back((b - a) / npk);
      r.push_back(rc / npk);
    }
  }
  std::sort(s.begin(), s.end());
  std::sort(r.begin(), r.end());
  printf("%-58s send %6.0f (min %5.0f)  recv %6.0f (min %5.0f)  sum %6.0f ns/packet%s\n", name,
         s[s.size() / 2], s[0], r[r.size() / 2], r[0], s[s.size() / 2] + r[r.size() / 2],
         lost ? "  (some lost)" : "");
  fflush(stdout);
}
int main() {
  sh("ip netns del wmA 2>/dev/null; ip netns del wmB 2>/dev/null; ip netns add wmA; ip netns add "
     "wmB; ip link add v0 netns wmA type veth peer name v0 netns wmB; ip -n wmA addr add "
     "10.78.0.1/24 dev v0; ip -n wmB addr add 10.78.0.2/24 dev v0; ip -n wmA link set v0 up; ip -n "
     "wmB link set v0 up; sleep 0.3");
  cpu_set_t m;
  CPU_ZERO(&m);
  CPU_SET(0, &m);
  sched_setaffinity(0, sizeof m, &m);
  int a = sock("wmA", "10.78.0.1", 5000), b = sock("wmB", "10.78.0.2", 5000),
      ac = sock("wmA", "10.78.0.1", 5001);
  dst.sin_family = AF_INET;
  dst.sin_port = htons(5000);
  inet_pton(AF_INET, "10.78.0.2", &dst.sin_addr);
  if (connect(ac, (sockaddr*)&dst, sizeof dst)) die("connect");
  static mmsghdr M[64], R[64];
  static iovec V[64], W[64];
  static sockaddr_in ra[64];
  static char ctl[64][64];
  for (int i = 0; i < K; i++) {
    V[i] = {buf + i * L, L};
    M[i].msg_hdr.msg_iov = &V[i];
    M[i].msg_hdr.msg_iovlen = 1;
    M[i].msg_hdr.msg_name = &dst;
    M[i].msg_hdr.msg_namelen = sizeof dst;
    W[i] = {in[i], sizeof in[i]};
    R[i].msg_hdr.msg_iov = &W[i];
    R[i].msg_hdr.msg_iovlen = 1;
  }
  auto r1 = [&] {
    sockaddr_in s;
    socklen_t l = sizeof s;
    int n = 0;
    while (n < K && recvfrom(b, in[0], 2048, MSG_DONTWAIT, (sockaddr*)&s, &l) > 0) n++;
    return n;
  };
  auto rm = [&] {
    for (int i = 0; i < K; i++) {
      R[i].msg_hdr.msg_name = &ra[i];
      R[i].msg_hdr.msg_namelen = sizeof ra[i];
    }
    return recvmmsg(b, R, K, MSG_DONTWAIT, 0);
  };
  auto s1 = [&] {
    for (int i = 0; i < K; i++) sendto(a, buf + i * L, L, 0, (sockaddr*)&dst, sizeof dst);
  };
  auto sc = [&] {
    for (int i = 0; i < K; i++) send(ac, buf + i * L, L, 0);
  };
  auto sm = [&] { sendmmsg(a, M, K, 0); };
  auto gso = [&](int fd, int k) {
    msghdr h{};
    iovec v{buf, size_t(k) * L};
    char c[CMSG_SPACE(2)] = {};
    h.msg_iov = &v;
    h.msg_iovlen = 1;
    if (fd == a) {
      h.msg_name = &dst;
      h.msg_namelen = sizeof dst;
    }
    h.msg_control = c;
    h.msg_controllen = sizeof c;
    cmsghdr* q = CMSG_FIRSTHDR(&h);
    q->cmsg_level = SOL_UDP;
    q->cmsg_type = UDP_SEGMENT;
    q->cmsg_len = CMSG_LEN(2);
    unsigned short g = L;
    memcpy(CMSG_DATA(q), &g, 2);
    if (sendmsg(fd, &h, 0) < 0) die("gso");
  };
  auto rg = [&] {
    for (int i = 0; i < K; i++) {
      R[i].msg_hdr.msg_name = &ra[i];
      R[i].msg_hdr.msg_namelen = sizeof ra[i];
      R[i].msg_hdr.msg_control = ctl[i];
      R[i].msg_hdr.msg_controllen = sizeof ctl[i];
    }
    int n = recvmmsg(b, R, K, MSG_DONTWAIT, 0), t = 0;
    for (int i = 0; i < n; i++) t += (R[i].msg_len + L - 1) / L;
    return t;
  };
  std::vector<double> nul;
  for (int i = 0; i < 2000; i++) {
    double t = cpu();
    for (int k = 0; k < 10; k++) recv(b, in[0], 10, MSG_DONTWAIT);
    nul.push_back((cpu() - t) / 10);
  }
  std::sort(nul.begin(), nul.end());
  printf("empty recv (EAGAIN), the bare syscall: %.0f ns\n", nul[1000]);
  round("sendto x1 / recvfrom x1 (one syscall per packet)", s1, r1);
  round("send x1 on a connected socket / recvfrom x1", sc, r1);
  round("sendmmsg 32 / recvmmsg 32", sm, rm);
  round(
      "UDP_SEGMENT 8x1200 / recvmmsg 32, no UDP_GRO (kernel splits)",
      [&] {
        for (int i = 0; i < 4; i++) gso(a, 8);
      },
      rm);
  round(
      "UDP_SEGMENT 32x1200 / recvmmsg 32, no UDP_GRO", [&] { gso(a, 32); }, rm);
  int one = 1;
  if (setsockopt(b, SOL_UDP, UDP_GRO, &one, sizeof one)) die("UDP_GRO");
  round(
      "UDP_SEGMENT 4x1200 / UDP_GRO recv",
      [&] {
        for (int i = 0; i < 8; i++) gso(a, 4);
      },
      rg);
  round(
      "UDP_SEGMENT 8x1200 / UDP_GRO recv",
      [&] {
        for (int i = 0; i < 4; i++) gso(a, 8);
      },
      rg);
  round(
      "UDP_SEGMENT 32x1200 / UDP_GRO recv", [&] { gso(a, 32); }, rg);
  round(
      "UDP_SEGMENT 32x1200 connected / UDP_GRO recv", [&] { gso(ac, 32); }, rg);
  round("sendmmsg 32 / UDP_GRO recv, veth GRO off", sm, rg);
  sh("ip netns exec wmB ethtool -K v0 gro on 2>/dev/null");
  round("sendmmsg 32 / UDP_GRO recv, veth GRO on (NAPI)", sm, rg);
  sh("ip netns del wmA; ip netns del wmB");
}
