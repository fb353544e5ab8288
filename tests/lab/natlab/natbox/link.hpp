// The link: delay, jitter, loss, duplicates, reordering and rate, in each direction.
#pragma once

#include "nat.hpp"

struct Imp {
  double delay = 0, jitter = 0, loss = 0, burst = 0, dup = 0, reorder = 0, reorder_ms = 20,
         rate = 0, queue = 200;
};
struct Ev {
  i64 t;
  u64 seq;
  Pkt* p;
};
struct EvLess {
  bool operator()(const Ev& a, const Ev& b) const { return a.t != b.t ? a.t > b.t : a.seq > b.seq; }
};
struct Dir {
  Imp i;
  i64 tfree = 0, last = 0;
  bool bad = false, cut = false;
  std::priority_queue<Ev, std::vector<Ev>, EvLess> q;
  u64 n = 0, bytes = 0, lost = 0, qdrop = 0, cutdrop = 0, dups = 0, reord = 0, werr = 0;
} up, down;
static u64 evseq;
static std::vector<Pkt*> pool;
static Pkt* getp() {
  if (pool.empty()) return new Pkt;
  Pkt* p = pool.back();
  pool.pop_back();
  return p;
}
static void putp(Pkt* p) {
  if (pool.size() < 4096)
    pool.push_back(p);
  else
    delete p;
}
static void enqueue(Dir& d, Pkt* p, i64 now) {
  if (d.cut) {
    d.cutdrop++;
    putp(p);
    return;
  }
  if (d.i.loss > 0) {
    double L = d.i.loss / 100;
    bool drop;
    if (d.i.burst > 1) {
      double r = 1 / d.i.burst, g = L >= 1 ? 1 : std::min(1.0, L * r / (1 - L));
      if (d.bad) {
        if (urand() < r) d.bad = false;
      } else if (urand() < g)
        d.bad = true;
      drop = d.bad;
    } else
      drop = urand() < L;
    if (drop) {
      d.lost++;
      putp(p);
      return;
    }
  }
  i64 t = now;
  if (d.i.rate > 0) {
    i64 s = std::max(now, d.tfree);
    if ((s - now) > d.i.queue * 1e6) {
      d.qdrop++;
      putp(p);
      return;
    }
    d.tfree = s + (i64)(p->b.size() * 8e3 / d.i.rate);
    t = d.tfree;
  }
  t += (i64)(d.i.delay * 1e6);
  if (d.i.jitter > 0) t += (i64)(d.i.jitter * 1e6 * (2 * urand() - 1));
  if (t < now) t = now;
  if (d.i.reorder > 0 && urand() < d.i.reorder / 100) {
    t = std::max(t, d.last) + (i64)(d.i.reorder_ms * 1e6);
    d.reord++;
  } else {
    if (t < d.last) t = d.last;
    d.last = t;
  }  // jitter alone keeps the order
  if (d.i.dup > 0 && urand() < d.i.dup / 100) {
    Pkt* c = getp();
    c->b = p->b;
    d.q.push({t, evseq++, c});
    d.dups++;
  }
  d.q.push({t, evseq++, p});
}
static int fd_in, fd_out;
static void tun_write(int fd, Pkt* p, Dir& d) {
  if (write(fd, p->b.data(), p->b.size()) < 0)
    d.werr++;
  else
    d.n++, d.bytes += p->b.size();
}
static void release(i64 now) {
  while (!up.q.empty() && up.q.top().t <= now) {
    Pkt* p = up.q.top().p;
    up.q.pop();
    tun_write(fd_out, p, up);
    putp(p);
  }
  while (!down.q.empty() && down.q.top().t <= now) {
    Pkt* p = down.q.top().p;
    down.q.pop();
    if (!nat.on || nat_in(*p, now, false) == PASS) tun_write(fd_in, p, down);
    putp(p);
  }
}
