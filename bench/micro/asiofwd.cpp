// asiofwd MODE LISTENPORT DSTIP DSTPORT: one-thread UDP forwarder, the skeleton of a relay with
// only an outer-header check (16 bytes looked up in a hash table).  MODE:
//  asio    async_receive_from -> async_send_to, one packet at a time
//  asio1   async_receive_from -> synchronous non-blocking send_to
//  try     async_wait(wait_read), then recvfrom/sendto until EAGAIN
//  mmsg    async_wait(wait_read) + recvmmsg 32 / sendmmsg on the native handle
//  mmgso   recvmmsg 32 / runs of equal size to one destination leave as one UDP_SEGMENT message
//  grogso  UDP_GRO receive (recvmmsg) / UDP_SEGMENT send, super-packets forwarded whole
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <boost/asio.hpp>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif
namespace as = boost::asio;
using udp = as::ip::udp;
static as::io_context io(1);
static udp::socket in(io), out(io);
static udp::endpoint dst, from;
static std::unordered_map<uint64_t, udp::endpoint> table;
static const udp::endpoint& route(const char* p) {
  uint64_t k;
  memcpy(&k, p + 8, 8);
  k &= 0;
  auto i = table.find(k);
  return i->second;
}  // lookup cost only
static const int K = 32;
static char one[65536];
static char bufs[K][65536];
static mmsghdr R[K], T[K];
static iovec V[K];
static sockaddr_in ra[K];
static char ctl[K][64], tctl[K][64];
static void recv_asio();
static void recv_asio() {
  in.async_receive_from(as::buffer(one), from, [](boost::system::error_code e, size_t n) {
    if (e) return recv_asio();
    out.async_send_to(as::buffer(one, n), route(one),
                      [](boost::system::error_code, size_t) { recv_asio(); });
  });
}
static void recv_asio1() {
  in.async_receive_from(as::buffer(one), from, [](boost::system::error_code e, size_t n) {
    if (!e) {
      boost::system::error_code x;
      out.send_to(as::buffer(one, n), route(one), 0, x);
    }
    recv_asio1();
  });
}
static void recv_try() {
  in.async_wait(udp::socket::wait_read, [](boost::system::error_code) {
    for (int i = 0; i < 256; i++) {
      boost::system::error_code e;
      size_t n = in.receive_from(as::buffer(one), from, 0, e);
      if (e) break;
      out.send_to(as::buffer(one, n), route(one), 0, e);
    }
    recv_try();
  });
}
static int mode = 0;
static void seg(msghdr& h, char* c, uint16_t g) {
  h.msg_control = c;
  h.msg_controllen = CMSG_SPACE(2);
  memset(c, 0, CMSG_SPACE(2));
  cmsghdr* q = CMSG_FIRSTHDR(&h);
  q->cmsg_level = SOL_UDP;
  q->cmsg_type = UDP_SEGMENT;
  q->cmsg_len = CMSG_LEN(2);
  memcpy(CMSG_DATA(q), &g, 2);
}
static void recv_mm() {
  in.async_wait(udp::socket::wait_read, [](boost::system::error_code) {
    for (int round = 0; round < 8; round++) {
      for (int i = 0; i < K; i++) {
        V[i] = {bufs[i], mode == 2 ? 65536u : 2048u};
        R[i].msg_hdr.msg_iov = &V[i];
        R[i].msg_hdr.msg_iovlen = 1;
        R[i].msg_hdr.msg_name = &ra[i];
        R[i].msg_hdr.msg_namelen = sizeof ra[i];
        R[i].msg_hdr.msg_control = mode == 2 ? ctl[i] : nullptr;
        R[i].msg_hdr.msg_controllen = mode == 2 ? sizeof ctl[i] : 0;
      }
      int n = recvmmsg(in.native_handle(), R, K, MSG_DONTWAIT, nullptr);
      if (n <= 0) break;
      int t = 0;
      memset(T, 0, sizeof T);
      for (int i = 0; i < n;) {
        const udp::endpoint& d = route(bufs[i]);
        msghdr& h = T[t].msg_hdr;
        h.msg_name = (void*)d.data();
        h.msg_namelen = d.size();
        h.msg_iov = &V[i];
        h.msg_iovlen = 1;
        V[i].iov_len = R[i].msg_len;
        int j = i + 1;
        if (mode == 1) {
          size_t tot = V[i].iov_len;
          while (j < n && R[j].msg_len == R[i].msg_len && &route(bufs[j]) == &d &&
                 tot + R[j].msg_len < 60000) {
            V[j].iov_len = R[j].msg_len;
            tot += R[j].msg_len;
            h.msg_iovlen++;
            j++;
          }
          if (h.msg_iovlen > 1) seg(h, tctl[t], R[i].msg_len);
        }
        if (mode == 2)
          for (cmsghdr* q = CMSG_FIRSTHDR(&R[i].msg_hdr); q; q = CMSG_NXTHDR(&R[i].msg_hdr, q))
            if (q->cmsg_level == SOL_UDP && q->cmsg_type == UDP_GRO) {
              int g;
              memcpy(&g, CMSG_DATA(q), sizeof g);
              if (g < (int)R[i].msg_len) seg(h, tctl[t], g);
            }
        t++;
        i = j;
      }
      for (int k = 0; k < t;) {
        int w = sendmmsg(out.native_handle(), T + k, t - k, MSG_DONTWAIT);
        if (w <= 0) w = 1;
        k += w;
      }
      if (n < K) break;
    }
    recv_mm();
  });
}
int main(int c, char** v) {
  if (c < 5) return 2;
  std::string m = v[1];
  in.open(udp::v4());
  in.bind({udp::v4(), (unsigned short)atoi(v[2])});
  out.open(udp::v4());
  dst = {as::ip::make_address(v[3]), (unsigned short)atoi(v[4])};
  in.non_blocking(true);
  out.non_blocking(true);
  int z = 4 << 20;
  setsockopt(in.native_handle(), SOL_SOCKET, SO_RCVBUFFORCE, &z, sizeof z);
  setsockopt(out.native_handle(), SOL_SOCKET, SO_SNDBUFFORCE, &z, sizeof z);
  table[0] = dst;
  for (uint64_t i = 1; i < 1000; i++) table[i << 20] = dst;
  if (m == "asio")
    recv_asio();
  else if (m == "asio1")
    recv_asio1();
  else if (m == "try")
    recv_try();
  else {
    mode = m == "mmgso" ? 1 : m == "grogso" ? 2 : 0;
    if (mode == 2) {
      int one = 1;
      if (setsockopt(in.native_handle(), SOL_UDP, UDP_GRO, &one, sizeof one)) perror("UDP_GRO");
    }
    recv_mm();
  }
  io.run();
}
