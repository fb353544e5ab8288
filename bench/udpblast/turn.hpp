// A minimal TURN client (RFC 5766, UDP, no authentication), so that coturn can be measured.
#pragma once

#include "trial.hpp"

static void put16(std::string& s, int v) {
  s += char(v >> 8);
  s += char(v);
}
static std::string stun(int type, const std::string& attrs) {
  std::string s;
  put16(s, type);
  put16(s, attrs.size());
  s += std::string("\x21\x12\xA4\x42", 4);
  for (int i = 0; i < 12; i++) s += char(rand());
  return s + attrs;
}
static std::string xaddr(int at, sockaddr_in a) {
  std::string s;
  put16(s, at);
  put16(s, 8);
  s += '\0';
  s += '\1';
  put16(s, ntohs(a.sin_port) ^ 0x2112);
  u32 ip = ntohl(a.sin_addr.s_addr) ^ 0x2112A442;
  for (int i = 3; i >= 0; i--) s += char(ip >> (8 * i));
  return s;
}
static bool ask(const std::string& q, int want) {
  for (int tries = 0; tries < 20; tries++) {
    sendto(txfd, q.data(), q.size(), 0, (sockaddr*)&dst, sizeof dst);
    u64 e = now() + 100000000;
    char b[2048];
    while (now() < e) {
      int n = recv(txfd, b, sizeof b, MSG_DONTWAIT);
      if (n >= 20 && !memcmp(b + 8, q.data() + 8, 12)) {
        int t = (uint8_t(b[0]) << 8) | uint8_t(b[1]);
        if (t != want) {
          fprintf(stderr, "TURN answer 0x%04x\n", t);
          return false;
        }
        return true;
      }
    }
  }
  return false;
}
static void turn_setup() {
  hdrlen = 4;
  dst = addr(S("turn"));
  sockaddr_in peer = addr(S("turn-peer"));
  std::string a;
  put16(a, 0x0019);
  put16(a, 4);
  a += std::string("\x11\0\0\0", 4);
  srand(now());
  if (!ask(stun(0x0003, a), 0x0103)) {
    fprintf(stderr, "TURN allocate failed (stale allocation?)\n");
    exit(2);
  }
  std::string c;
  put16(c, 0x000C);
  put16(c, 4);
  c += std::string("\x40\0\0\0", 4);
  c += xaddr(0x0012, peer);
  for (int i = 0; i < 10; i++) {
    if (ask(stun(0x0009, c), 0x0109)) return;
    usleep(50000);
  }  // a server just started may refuse the first
  fprintf(stderr, "TURN channel bind failed\n");
  exit(2);
}
static void turn_end() {
  std::string l;
  put16(l, 0x000D);
  put16(l, 4);
  l += std::string(4, '\0');
  if (hdrlen) ask(stun(0x0004, l), 0x0104);
}
