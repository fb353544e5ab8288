// udpblast - UDP load generator / sink / echo with latency, loss, reordering
// and CPU-time-of-other-pids accounting.  One process owns both ends: the
// sending and the receiving thread each enter their own network namespace, so
// clock, run ids and loss accounting need no coordination.
//
//   udpblast run    --tx-ns A --rx-ns B --to IP:P --bind IP:P --rate N --size N --secs S
//                   [--mode oneway|rtt] [--pids p,p,..] [--tx-bind IP:P]
//   udpblast search (same)  [--start PPS --max PPS --reps N --loss 0.001 --secs 0.3 --tries 5]
//   udpblast first  --t0 MONOTONIC_NS (same)      start-to-first-packet time
//   udpblast echo | sink  --rx-ns B --bind IP:P   stand-alone ends (ctrl-C or --secs)
//   udpblast send   --tx-ns A --to IP:P           stand-alone sender
//   TURN: --turn IP:P --turn-peer IP:P   allocate on a TURN server (no auth), bind
//         channel 0x4000 to turn-peer and send ChannelData.
//   --gso N  send up to N packets per UDP_SEGMENT super-packet.
// --wait poll|sleep|spin how an end waits.  sleep (default in oneway/search): 30 us naps,
//         so the daemon under test never pays for waking the tool; poll (default in rtt):
//         ppoll, real wake-up latency; spin: busy (only where the host leaves the vCPUs alone).
// Every result is one JSON line.
#include "turn.hpp"

int main(int ac, char** av) {
  if (ac < 2) {
    fprintf(stderr, "see the head of udpblast.cpp\n");
    return 2;
  }
  std::string cmd = av[1];
  for (int i = 2; i + 1 < ac; i += 2) opt[av[i] + 2] = av[i + 1];
  for (char *s = strdup(S("pids").c_str()), *t; (t = strsep(&s, ","));)
    if (*t) pids.push_back(atoi(t));
  txcpu_ = D("tx-cpu", 3);
  rxcpu_ = D("rx-cpu", 2);
  if (std::thread::hardware_concurrency() < 4) txcpu_ = rxcpu_ = -1;
  int size = D("size", 1200), drain = D("drain-ms", 40), maxb = D("batch", 16);
  bool rtt = S("mode", "oneway") == "rtt";
  {
    std::string w = S("wait", rtt ? "poll" : "sleep");
    wmode = w == "poll" ? 1 : w == "spin" ? 2 : 0;
  }
  double rate = D("rate", 5000), secs = D("secs", 1);
  if (cmd != "send") rxfd = mksock(S("rx-ns"), S("bind"));
  if (cmd == "send") rxfd = mksock(S("tx-ns"), "");
  if (cmd == "echo" || cmd == "sink") {
    u64 n = 0, e = now() + u64(D("secs", 1e6) * 1e9), t0 = 0, t1 = 0;
    Batch* b = new Batch;
    while (now() < e) {
      int k = b->recv(rxfd);
      if (k <= 0) {
        usleep(20);
        continue;
      }
      t1 = now();
      if (!t0) t0 = t1;
      n += k;
      if (cmd == "echo") {
        for (int i = 0; i < k; i++) b->v[i].iov_len = b->m[i].msg_len;
        sendmmsg(rxfd, b->m, k, 0);
      }
    }
    printf("{\"rx\":%lu,\"pps\":%.0f}\n", n, t1 > t0 ? n * 1e9 / (t1 - t0) : 0.0);
    return 0;
  }
  txfd = mksock(S("tx-ns"), S("tx-bind"));
  if (opt.count("turn"))
    turn_setup();
  else
    dst = addr(S("to"));
  if (cmd == "first") {
    u64 t0 = strtoull(S("t0", "0").c_str(), 0, 10), e = now() + u64(D("secs", 20) * 1e9), t;
    u64 nx = 0;
    u32 run = now();
    Batch* b = new Batch;
    u64 seq = 0;
    std::string p(size + hdrlen, 'x');
    if (hdrlen) {
      uint16_t c[2] = {htons(0x4000), htons(size)};
      memcpy(&p[0], c, 4);
    }
    while ((t = now()) < e) {
      if (t >= nx) {
        nx = t + 1000000;
        Hdr h{MAGIC, run, seq++, t};
        memcpy(&p[hdrlen], &h, sizeof h);
        sendto(txfd, p.data(), p.size(), 0, (sockaddr*)&dst, sizeof dst);
      }
      int k = b->recv(rxfd);
      for (int i = 0; i < k; i++) {
        Hdr h;
        memcpy(&h, b->b[i], sizeof h);
        if (h.magic == MAGIC && h.run == run) {
          printf("{\"first_packet_ms\":%.2f}\n", (now() - t0) / 1e6);
          turn_end();
          return 0;
        }
      }
      usleep(50);
    }
    printf("{\"first_packet_ms\":-1}\n");
    return 1;
  }
  trial(200, size, 0.05, rtt, drain, 1);  // open the path
  if (cmd == "run" || cmd == "send") {
    Res r = trial(rate, size, secs, rtt, drain, maxb);
    show(r, rate, size, rtt ? "rtt" : "oneway");
  } else if (cmd == "search") {
    double lossmax = D("loss", 0.001), maxr = D("max", 800000);
    int reps = D("reps", 3), tries = D("tries", 5);
    secs = D("secs", 0.3);
    std::vector<double> best;
    double peak = 0;
    bool sl = false;
    double bestreord = 0;
    std::vector<double> cpu;
    for (int k = 0; k < reps; k++) {
      double lo = 0, hi = 0, r = best.empty() ? D("start", 4000) : best.back() * 0.6, lastcpu = -1;
      auto ok = [&](double rr) {
        for (int a = 0; a < tries; a++) {
          Res x = trial(rr, size, secs, rtt, drain, maxb);
          double got = x.sent * 1e9 / std::max<u64>(1, x.txns),
                 loss = 1 - double(x.rx) / std::max<u64>(1, x.sent);
          if (x.rxns > 100000000) peak = std::max(peak, x.rx * 1e9 / x.rxns);
          if (got < rr * 0.97) {
            sl = true;
            continue;
          }
          if (getenv("UB_V")) fprintf(stderr, "  %.0f pps loss %.5f\n", rr, loss);
          if (loss <= lossmax) {
            lastcpu = double(x.cpu) / x.rx;
            bestreord = double(x.reord) / x.rx;
            return true;
          }
        }
        return false;
      };
      for (;;) {
        if (r > maxr) {
          hi = maxr * 1.0001;
          if (lo == 0) lo = maxr / 2;
          break;
        }
        if (ok(r)) {
          lo = r;
          r *= 1.6;
        } else {
          hi = r;
          break;
        }
      }
      if (lo == 0) {
        double f = hi;
        lo = 0;
        while (f > 50) {
          f /= 2;
          if (ok(f)) {
            lo = f;
            break;
          }
          hi = f;
        }
      }
      while (lo > 0 && hi / lo > 1.03) {
        double m = std::sqrt(lo * hi);
        if (ok(m))
          lo = m;
        else
          hi = m;
      }
      best.push_back(lo);
      cpu.push_back(lastcpu);
    }
    auto s = best;
    std::sort(s.begin(), s.end());
    std::sort(cpu.begin(), cpu.end());
    double md = s.empty() ? 0 : s[s.size() / 2];
    printf("{\"lossfree_pps\":%.0f,\"lossfree_mbit\":%.1f,\"reps\":[", md, md * size * 8 / 1e6);
    for (size_t i = 0; i < best.size(); i++) printf("%s%.0f", i ? "," : "", best[i]);
    printf(
        "],\"peak_rx_pps\":%.0f,\"daemon_cpu_ns_pkt_at_max\":%.0f,\"reorder_frac\":%.5f,\"sender_"
        "limited\":%s}\n",
        peak, cpu.empty() ? -1 : cpu[cpu.size() / 2], bestreord, sl ? "true" : "false");
  }
  turn_end();
  return 0;
}
