// One run: a sender and a receiver thread, and its result as JSON.
#pragma once

#include "ends.hpp"

static int txcpu_ = 3, rxcpu_ = 2;

static Res trial(double rate, int size, double secs, bool rtt, int drain_ms, int maxb) {
  Res r;
  u32 run = ++runid;
  std::atomic<bool> stop{false};
  std::atomic<u64> lastrx{0};
  {
    Batch* b = new Batch;
    while (b->recv(rxfd) > 0) {
    }
    while (b->recv(txfd) > 0) {
    }
    delete b;
  }
  r.lat.reserve(size_t(rate * secs * 1.1) + 1000);
  Rx rx{run, r};
  rx.seen.resize(size_t(rate * secs * 1.1) + 1000);
  std::thread rt([&] {  // B end: sink or echo
    pin(rxcpu_);
    prctl(PR_SET_TIMERSLACK, 1);
    Batch* b = new Batch;
    u64 c0 = selfcpu();
    while (!stop.load(std::memory_order_relaxed)) {
      int n = b->recv(rxfd);
      if (n <= 0) {
        nap(rxfd, wmode == 1 ? 5000000 : 30000);
        continue;
      }
      u64 t = now();
      lastrx.store(t, std::memory_order_relaxed);
      if (rtt) {
        for (int i = 0; i < n; i++) b->v[i].iov_len = b->m[i].msg_len;
        for (int k = 0; k < n;) {
          int w = sendmmsg(rxfd, b->m + k, n - k, 0);
          if (w <= 0) {
            k++;
            continue;
          }
          k += w;
        }
      } else
        for (int i = 0; i < n; i++) rx.take(b->b[i], b->m[i].msg_len, t);
    }
    r.rxcpu = selfcpu() - c0;
    delete b;
  });
  std::thread tt([&] {  // A end
    pin(txcpu_);
    prctl(PR_SET_TIMERSLACK, 1);
    Batch* rb = new Batch;
    u64 c0 = selfcpu();
    int st = size + hdrlen;
    std::vector<char> buf(size_t(st) * NB, 0x5a);
    std::vector<mmsghdr> m(NB);
    std::vector<iovec> v(NB);
    for (int i = 0; i < NB; i++) {
      if (hdrlen) {
        uint16_t ch = htons(0x4000), l = htons(size);
        memcpy(&buf[i * st], &ch, 2);
        memcpy(&buf[i * st + 2], &l, 2);
      }
      v[i] = {&buf[i * st], size_t(st)};
      memset(&m[i], 0, sizeof m[i]);
      m[i].msg_hdr.msg_iov = &v[i];
      m[i].msg_hdr.msg_iovlen = 1;
      m[i].msg_hdr.msg_name = &dst;
      m[i].msg_hdr.msg_namelen = sizeof dst;
    }
    int gso = int(D("gso", 0));
    u64 total = u64(rate * secs), t0 = now(), end = t0 + u64(secs * 1.3e9);
    pid_t dummy = 0;
    (void)dummy;
    u64 cp0 = allcpu();
    u64 lim = std::min<u64>(maxb, NB);
    while (r.sent < total) {
      u64 t = now();
      if (t > end) break;
      u64 due = std::min<u64>(total, u64((t - t0) * rate / 1e9) + 1);
      if (due > r.sent) {
        int k = int(std::min<u64>(due - r.sent, lim));
        for (int i = 0; i < k; i++) {
          Hdr h{MAGIC, run, r.sent + i, t};
          memcpy(&buf[i * st + hdrlen], &h, sizeof h);
        }
        if (gso > 1 && k > 1) {
          k = std::min(k, gso);
          msghdr g{};
          iovec gv{buf.data(), size_t(st) * k};
          char c[CMSG_SPACE(2)] = {};
          g.msg_iov = &gv;
          g.msg_iovlen = 1;
          g.msg_name = &dst;
          g.msg_namelen = sizeof dst;
          g.msg_control = c;
          g.msg_controllen = sizeof c;
          cmsghdr* cm = CMSG_FIRSTHDR(&g);
          cm->cmsg_level = SOL_UDP;
          cm->cmsg_type = UDP_SEGMENT;
          cm->cmsg_len = CMSG_LEN(2);
          uint16_t sg = st;
          memcpy(CMSG_DATA(cm), &sg, 2);
          if (sendmsg(txfd, &g, 0) > 0) r.sent += k;
        } else {
          int w = sendmmsg(txfd, m.data(), k, 0);
          if (w > 0) r.sent += w;
        }
      }
      if (due <= r.sent || rtt) {
        t = now();
        u64 nxt = t0 + u64((r.sent) * 1e9 / rate);
        if (nxt > t + 3000 && r.sent < total)
          nap(rtt ? txfd : -1, std::min<u64>(nxt - t, 5000000) + (rate > 20000 ? 20000 : 0));
      }
      if (rtt) {
        int n = rb->recv(txfd);
        if (n > 0) {
          u64 tr = now();
          for (int i = 0; i < n; i++)
            rx.take(rb->b[i] + hdrlen, int(rb->m[i].msg_len) - hdrlen, tr);
        }
      }
    }
    r.txns = now() - t0;
    r.txcpu = selfcpu() - c0;
    u64 tend = now(), lastr = tend;
    for (;;) {
      u64 t = now();
      if (rtt) {
        int n = rb->recv(txfd);
        if (n > 0) {
          lastr = t;
          for (int i = 0; i < n; i++) rx.take(rb->b[i] + hdrlen, int(rb->m[i].msg_len) - hdrlen, t);
        }
      } else {
        u64 l = lastrx.load(std::memory_order_relaxed);
        if (l > lastr) lastr = l;
      }
      if (t > lastr && t - lastr > u64(drain_ms) * 1000000) break;
      if (t > tend + 1500000000ull) break;
      nap(rtt ? txfd : -1, 200000);
    }
    r.cpu = allcpu() - cp0;
    delete rb;
  });
  tt.join();
  stop = true;
  rt.join();
  r.rxns = rx.last > rx.first ? rx.last - rx.first : 0;
  return r;
}
static void put(const char* k, double v) { printf("\"%s\":%.3f,", k, v); }
static void show(Res& r, double rate, int size, const char* mode) {
  double loss = r.sent ? 1.0 - double(r.rx) / r.sent : 1;
  printf("{\"mode\":\"%s\",", mode);
  put("rate", rate);
  put("size", size);
  put("sent", r.sent);
  put("rx", r.rx);
  printf("\"loss\":%.6f,", loss);
  put("dup", r.dup);
  put("reordered", r.reord);
  put("tx_pps", r.sent * 1e9 / std::max<u64>(1, r.txns));
  put("rx_pps", r.rxns ? r.rx * 1e9 / r.rxns : 0);
  put("rx_mbit", r.rxns ? r.rx * 8.0 * size * 1e3 / r.rxns : 0);
  put("lat_p50_us", pct(r.lat, .5));
  put("lat_p99_us", pct(r.lat, .99));
  put("lat_p999_us", pct(r.lat, .999));
  put("lat_max_us", pct(r.lat, 1));
  put("tx_cpu_ns_pkt", r.sent ? double(r.txcpu) / r.sent : 0);
  put("rx_cpu_ns_pkt", r.rx ? double(r.rxcpu) / r.rx : 0);
  put("daemon_cpu_ns_pkt", r.rx ? double(r.cpu) / r.rx : -1);
  printf("\"daemon_cpu_cores\":%.3f}\n", double(r.cpu) / std::max<u64>(1, r.txns));
  fflush(stdout);
}
