// The NAT: mappings, filtering, port allocation, and the rewriting of packets.
#pragma once

#include "bytes.hpp"

enum { EI, AD, APD };
enum { PRESERVE, RANDOM, SEQ };
struct NatCfg {
  bool on = false;
  u32 ext = 0;
  int map = EI, filter = EI, alloc = PRESERVE, delta = 1, fallback = RANDOM;
  int lo = 1024, hi = 65535;
  double timeout = 30, tcp_timeout = 7200;
  bool hairpin = false, refresh_in = true;
  size_t max = 0;
  double noise = 0;
} nat;
struct K {
  u64 a, b;
  bool operator==(const K& o) const { return a == o.a && b == o.b; }
};
struct KH {
  size_t operator()(const K& k) const {
    u64 x = k.a * 0x9E3779B97F4A7C15ULL ^ (k.b + 0x7F4A7C15) * 0xBF58476D1CE4E5B9ULL;
    return x ^ x >> 31;
  }
};
struct Mapping {
  u8 proto;
  u32 ip;
  u16 port;
  u32 rip;
  u16 rport;
  u16 eport;
  i64 last;
  int closing;
  std::unordered_map<u64, i64> filt;
};
static std::unordered_map<K, Mapping*, KH> by_in;
static std::unordered_map<u32, Mapping*> by_ext;  // key proto<<16|port
static size_t count_proto[256];
static int seq_next = -1;
static i64 seq_t = 0;
static std::unordered_map<K, K, KH> frags;  // (src<<32|dst, id<<8|proto) -> new (src,dst)
static u64 st_in_drop_nomap, st_in_drop_filter, st_out_drop_max, st_out_drop_full, st_new, st_hair,
    st_hair_drop, st_expired;

static i64 tmo(const Mapping* m) {
  double t = m->proto == 6 ? (m->closing ? std::min(10.0, nat.tcp_timeout) : nat.tcp_timeout)
                           : nat.timeout;
  return (i64)(t * 1e9);
}
static K inkey(u8 proto, u32 ip, u16 port, u32 rip, u16 rport) {
  if (nat.map == EI)
    rip = 0, rport = 0;
  else if (nat.map == AD)
    rport = 0;
  return K{(u64)ip << 32 | (u64)port << 16 | proto, (u64)rip << 16 | rport};
}
static void del(Mapping* m) {
  by_in.erase(inkey(m->proto, m->ip, m->port, m->rip, m->rport));
  by_ext.erase((u32)m->proto << 16 | m->eport);
  count_proto[m->proto]--;
  delete m;
}
static void sweep(i64 now) {
  std::vector<Mapping*> v;
  for (auto& p : by_ext)
    if (now - p.second->last > tmo(p.second)) v.push_back(p.second);
  for (auto* m : v) del(m), st_expired++;
  if (frags.size() > 1000) frags.clear();
}
static void flush_all() {
  for (auto& p : by_ext) delete p.second;
  by_ext.clear();
  by_in.clear();
  memset(count_proto, 0, sizeof count_proto);
  frags.clear();
}
static bool port_free(u8 proto, u16 port, i64 now) {
  auto it = by_ext.find((u32)proto << 16 | port);
  if (it == by_ext.end()) return true;
  if (now - it->second->last > tmo(it->second)) {
    del(it->second);
    st_expired++;
    return true;
  }
  return false;
}
static int take_seq(u8 proto, i64 now) {
  int n = nat.hi - nat.lo + 1;
  if (seq_next < 0) {
    seq_next = nat.lo + (int)(urand() * n);
    seq_t = now;
  }
  if (nat.noise > 0) {
    double lam = nat.noise * (now - seq_t) / 1e9;
    if (lam > 0) seq_next += nat.delta * (int)std::poisson_distribution<int>(lam)(rng);
    seq_t = now;
  }
  for (int i = 0; i < n; i++) {
    seq_next = nat.lo + (((seq_next - nat.lo) % n) + n) % n;
    int p = seq_next;
    seq_next += nat.delta;
    if (port_free(proto, p, now)) return p;
  }
  return -1;
}
static int take_random(u8 proto, i64 now) {
  int n = nat.hi - nat.lo + 1;
  for (int i = 0; i < 200; i++) {
    int p = nat.lo + (int)(rng() % n);
    if (port_free(proto, p, now)) return p;
  }
  int s = (int)(rng() % n);
  for (int i = 0; i < n; i++) {
    int p = nat.lo + (s + i) % n;
    if (port_free(proto, p, now)) return p;
  }
  return -1;
}
static int alloc_port(u8 proto, u16 want, i64 now) {
  if (nat.alloc == PRESERVE) {
    if (want >= nat.lo && want <= nat.hi && port_free(proto, want, now)) return want;
    return nat.fallback == SEQ ? take_seq(proto, now) : take_random(proto, now);
  }
  return nat.alloc == SEQ ? take_seq(proto, now) : take_random(proto, now);
}
static Mapping* out_mapping(u8 proto, u32 ip, u16 port, u32 rip, u16 rport, i64 now, bool create) {
  K k = inkey(proto, ip, port, rip, rport);
  auto it = by_in.find(k);
  if (it != by_in.end()) {
    if (now - it->second->last <= tmo(it->second)) return it->second;
    del(it->second);
    st_expired++;
  }
  if (!create) return nullptr;
  if (nat.max && count_proto[proto] >= nat.max) {
    sweep(now);
    if (count_proto[proto] >= nat.max) {
      st_out_drop_max++;
      return nullptr;
    }
  }
  int ep = alloc_port(proto, port, now);
  if (ep < 0) {
    st_out_drop_full++;
    return nullptr;
  }
  auto* m = new Mapping{proto, ip, port, rip, rport, (u16)ep, now, 0, {}};
  by_in[k] = m;
  by_ext[(u32)proto << 16 | (u16)ep] = m;
  count_proto[proto]++;
  st_new++;
  return m;
}
static u64 fkey(u32 rip, u16 rport) {
  return nat.filter == EI ? 0 : nat.filter == AD ? (u64)rip << 16 : (u64)rip << 16 | rport;
}
static bool filter_ok(Mapping* m, u32 rip, u16 rport, i64 now) {
  if (nat.filter == EI) return true;
  auto it = m->filt.find(fkey(rip, rport));
  if (it == m->filt.end()) return false;
  if (now - it->second > tmo(m)) {
    m->filt.erase(it);
    return false;
  }
  if (nat.refresh_in) it->second = now;
  return true;
}

struct Pkt {
  std::vector<u8> b;
};
static u8* l4(Pkt& p) { return p.b.data() + (p.b[0] & 15) * 4; }
static void set_ip(Pkt& p, int off, u32 nip) {  // 12 src, 16 dst
  u8* h = p.b.data();
  u32 o = r32(h + off);
  w32(h + off, nip);
  fix32(h + 10, o, nip);
  if ((r16(h + 6) & 0x1fff) == 0) {
    u8* t = l4(p);
    if (h[9] == 6)
      fix32(t + 16, o, nip);
    else if (h[9] == 17 && r16(t + 6)) {
      fix32(t + 6, o, nip);
      if (!r16(t + 6)) w16(t + 6, 0xffff);
    }
  }
}
static void set_port(Pkt& p, bool src, u16 np) {
  u8* h = p.b.data();
  u8* t = l4(p);
  if (h[9] == 1) {
    u16 o = r16(t + 4);
    w16(t + 4, np);
    fix16(t + 2, o, np);
    return;
  }
  u8* q = src ? t : t + 2;
  u16 o = r16(q);
  w16(q, np);
  if (h[9] == 6)
    fix16(t + 16, o, np);
  else if (r16(t + 6)) {
    fix16(t + 6, o, np);
    if (!r16(t + 6)) w16(t + 6, 0xffff);
  }
}
static size_t min_l4(u8 proto) { return proto == 6 ? 20 : 8; }
static void note_tcp(Mapping* m, const u8* t) {
  if (m->proto == 6) {
    u8 f = t[13];
    if (f & 5)
      m->closing = 1;
    else if (f & 2)
      m->closing = 0;
  }
}

// inner packet of an ICMP error: rewrite its src (srcside) or dst to ip:port, then recompute all
// the checksums
static void fix_inner(Pkt& p, bool srcside, u32 ip, u16 port) {
  u8* h = p.b.data();
  u8* t = l4(p);
  u8* ih = t + 8;
  size_t left = p.b.data() + p.b.size() - ih;
  w32(ih + (srcside ? 12 : 16), ip);
  size_t ihl = (ih[0] & 15) * 4;
  w16(ih + 10, 0);
  w16(ih + 10, sum16(ih, ihl));
  if (left >= ihl + 8) {
    u8* it = ih + ihl;
    if (ih[9] == 1)
      w16(it + 4, port);
    else
      w16(srcside ? it : it + 2, port);
    if (ih[9] == 17) w16(it + 6, 0);
  }
  size_t n = r16(h + 2) - (h[0] & 15) * 4;
  w16(t + 2, 0);
  w16(t + 2, sum16(t, n));
}
enum Verdict { DROP, PASS, HAIR };
static Verdict nat_in(Pkt& p, i64 now, bool hair);

static Verdict nat_out(Pkt& p, i64 now) {
  u8* h = p.b.data();
  u8 proto = h[9];
  u32 src = r32(h + 12), dst = r32(h + 16);
  u16 fo = r16(h + 6);
  K fk{(u64)src << 32 | dst, (u64)r16(h + 4) << 8 | proto};
  if (fo & 0x1fff) {
    auto it = frags.find(fk);
    if (it == frags.end()) return DROP;
    set_ip(p, 12, (u32)it->second.a);
    return dst == nat.ext ? DROP : PASS;
  }
  if (proto != 6 && proto != 17 && proto != 1) return DROP;
  u8* t = l4(p);
  if (p.b.size() < (size_t)(t - h) + min_l4(proto)) return DROP;
  u16 sp, dp;
  bool create = true;
  if (proto == 1) {
    if (t[0] == 8) {
      sp = r16(t + 4);
      dp = 0;
    } else if (t[0] == 3 || t[0] == 11 ||
               t[0] == 12) {  // error sent by an inside host about an inbound packet
      u8* ih = t + 8;
      if (p.b.size() < (size_t)(ih - h) + 28) return DROP;
      u8* it = ih + (ih[0] & 15) * 4;
      u16 ip_ = ih[9] == 1 ? r16(it + 4) : r16(it + 2);
      u16 rp_ = ih[9] == 1 ? 0 : r16(it);
      Mapping* m = out_mapping(ih[9], r32(ih + 16), ip_, r32(ih + 12), rp_, now, false);
      if (!m) return DROP;
      set_ip(p, 12, nat.ext);
      fix_inner(p, false, nat.ext, m->eport);
      return PASS;
    } else
      return DROP;
  } else {
    sp = r16(t);
    dp = r16(t + 2);
  }
  if (proto == 6 && (t[13] & 4)) create = false;
  if (dst == nat.ext && !nat.hairpin) {
    st_hair_drop++;
    return DROP;
  }
  Mapping* m = out_mapping(proto, src, sp, dst, dp, now, create);
  if (!m) return DROP;
  m->last = now;
  note_tcp(m, t);
  if (nat.filter != EI) m->filt[fkey(dst, dp)] = now;
  set_ip(p, 12, nat.ext);
  set_port(p, true, m->eport);
  if (fo & 0x2000) frags[fk] = K{nat.ext, 0};
  if (dst == nat.ext) {
    Verdict v = nat_in(p, now, true);
    if (v == PASS) {
      st_hair++;
      return HAIR;
    }
    st_hair_drop++;
    return DROP;
  }
  return PASS;
}
static Verdict nat_in(Pkt& p, i64 now, bool) {
  u8* h = p.b.data();
  u8 proto = h[9];
  u32 src = r32(h + 12), dst = r32(h + 16);
  u16 fo = r16(h + 6);
  if (dst != nat.ext) return DROP;
  K fk{(u64)src << 32 | dst, (u64)r16(h + 4) << 8 | proto | 1ULL << 40};
  if (fo & 0x1fff) {
    auto it = frags.find(fk);
    if (it == frags.end()) return DROP;
    set_ip(p, 16, (u32)it->second.a);
    return PASS;
  }
  if (proto != 6 && proto != 17 && proto != 1) return DROP;
  u8* t = l4(p);
  if (p.b.size() < (size_t)(t - h) + min_l4(proto)) return DROP;
  u16 sp, dp;
  if (proto == 1) {
    if (t[0] == 0) {
      dp = r16(t + 4);
      sp = 0;
    } else if (t[0] == 3 || t[0] == 11 || t[0] == 12) {
      u8* ih = t + 8;
      if (p.b.size() < (size_t)(ih - h) + 28) return DROP;
      u8* it = ih + (ih[0] & 15) * 4;
      u16 ep = ih[9] == 1 ? r16(it + 4) : r16(it);
      auto f = by_ext.find((u32)ih[9] << 16 | ep);
      if (f == by_ext.end() || r32(ih + 12) != nat.ext) {
        st_in_drop_nomap++;
        return DROP;
      }
      Mapping* m = f->second;
      set_ip(p, 16, m->ip);
      fix_inner(p, true, m->ip, m->port);
      return PASS;
    } else {
      st_in_drop_nomap++;
      return DROP;
    }
  } else {
    sp = r16(t);
    dp = r16(t + 2);
  }
  auto it = by_ext.find((u32)proto << 16 | dp);
  if (it == by_ext.end()) {
    st_in_drop_nomap++;
    return DROP;
  }
  Mapping* m = it->second;
  if (now - m->last > tmo(m)) {
    del(m);
    st_expired++;
    st_in_drop_nomap++;
    return DROP;
  }
  if (!filter_ok(m, src, sp, now)) {
    st_in_drop_filter++;
    return DROP;
  }
  if (nat.refresh_in) m->last = now;
  note_tcp(m, t);
  set_ip(p, 16, m->ip);
  set_port(p, false, m->port);
  if (fo & 0x2000) frags[fk] = K{m->ip, 0};
  return PASS;
}
