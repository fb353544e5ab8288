// The clock, random numbers, and big-endian bytes with their checksums.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>
using std::string;
typedef int64_t i64;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static i64 now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static std::mt19937_64 rng;
static double urand() { return std::uniform_real_distribution<double>(0, 1)(rng); }
static inline u16 r16(const u8* p) { return (u16)(p[0] << 8 | p[1]); }
static inline void w16(u8* p, u16 v) {
  p[0] = v >> 8;
  p[1] = v;
}
static inline u32 r32(const u8* p) { return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static inline void w32(u8* p, u32 v) {
  p[0] = v >> 24;
  p[1] = v >> 16;
  p[2] = v >> 8;
  p[3] = v;
}
static inline void fix16(u8* c, u16 o, u16 n) {  // RFC 1624
  u32 s = (u16)~r16(c);
  s += (u16)~o;
  s += n;
  s = (s & 0xffff) + (s >> 16);
  s += s >> 16;
  w16(c, (u16)~s);
}
static inline void fix32(u8* c, u32 o, u32 n) {
  fix16(c, o >> 16, n >> 16);
  fix16(c, o & 0xffff, n & 0xffff);
}
static u16 sum16(const u8* p, size_t n) {
  u32 s = 0;
  while (n > 1) {
    s += r16(p);
    p += 2;
    n -= 2;
  }
  if (n) s += p[0] << 8;
  while (s >> 16) s = (s & 0xffff) + (s >> 16);
  return (u16)~s;
}
