// natbox: a user-space NAT and link emulator between two TUN devices in two network namespaces.
//
//   natbox --in NS:DEV --out NS:DEV --ctl SOCKET [--mtu N] [--seed N]
//          [--nat k=v,k=v..]  [--up k=v,..] [--down k=v,..]
//
// --nat  ext=IP map=ei|ad|apd filter=ei|ad|apd alloc=preserve|random|seq delta=N
//        fallback=random|seq lo=PORT hi=PORT timeout=SEC tcp_timeout=SEC hairpin=0|1
//        refresh_in=0|1 max=N noise=PORTS_PER_SEC (without --nat: a plain link)
// --up / --down (towards the internet / towards the client)
//        delay=MS jitter=MS loss=PCT burst=MEAN_LEN dup=PCT reorder=PCT reorder_ms=MS rate=MBIT
//        queue=MS
// Control socket (one line per connection, answer until EOF):
//        flush | ext IP | nat k=v,.. | imp up|down|both k=v,.. | cut both|up|down|none | dump |
//        stats
//
// Linux: g++ -O2 -std=c++17 -o natbox natbox.cpp
#include "link.hpp"

static void die(const char* f, ...) {
  va_list a;
  va_start(a, f);
  vfprintf(stderr, f, a);
  va_end(a);
  fputc('\n', stderr);
  exit(2);
}
template <class F>
static void kv(const string& s, F f) {
  size_t i = 0;
  while (i < s.size()) {
    size_t j = s.find(',', i);
    if (j == string::npos) j = s.size();
    string e = s.substr(i, j - i);
    size_t k = e.find('=');
    if (k != string::npos) f(e.substr(0, k), e.substr(k + 1));
    i = j + 1;
  }
}
static int beh(const string& v) { return v == "ei" ? EI : v == "ad" ? AD : APD; }
static int allo(const string& v) { return v == "preserve" ? PRESERVE : v == "seq" ? SEQ : RANDOM; }
static bool set_nat(const string& s) {
  bool ok = true;
  kv(s, [&](const string& k, const string& v) {
    if (k == "ext") {
      in_addr a;
      ok &= inet_pton(AF_INET, v.c_str(), &a) == 1;
      nat.ext = ntohl(a.s_addr);
    } else if (k == "map")
      nat.map = beh(v);
    else if (k == "filter")
      nat.filter = beh(v);
    else if (k == "alloc")
      nat.alloc = allo(v);
    else if (k == "fallback")
      nat.fallback = allo(v);
    else if (k == "delta")
      nat.delta = atoi(v.c_str());
    else if (k == "lo")
      nat.lo = atoi(v.c_str());
    else if (k == "hi")
      nat.hi = atoi(v.c_str());
    else if (k == "timeout")
      nat.timeout = atof(v.c_str());
    else if (k == "tcp_timeout")
      nat.tcp_timeout = atof(v.c_str());
    else if (k == "hairpin")
      nat.hairpin = atoi(v.c_str());
    else if (k == "refresh_in")
      nat.refresh_in = atoi(v.c_str());
    else if (k == "max")
      nat.max = atoi(v.c_str());
    else if (k == "noise")
      nat.noise = atof(v.c_str());
    else
      ok = false;
  });
  nat.on = true;
  return ok;
}
static bool set_imp(Dir& d, const string& s) {
  bool ok = true;
  kv(s, [&](const string& k, const string& v) {
    double x = atof(v.c_str());
    if (k == "delay")
      d.i.delay = x;
    else if (k == "jitter")
      d.i.jitter = x;
    else if (k == "loss")
      d.i.loss = x;
    else if (k == "burst")
      d.i.burst = x;
    else if (k == "dup")
      d.i.dup = x;
    else if (k == "reorder")
      d.i.reorder = x;
    else if (k == "reorder_ms")
      d.i.reorder_ms = x;
    else if (k == "rate")
      d.i.rate = x;
    else if (k == "queue")
      d.i.queue = x;
    else
      ok = false;
  });
  return ok;
}
static int open_tun(const string& spec) {
  size_t c = spec.find(':');
  string ns = spec.substr(0, c), dev = spec.substr(c + 1);
  int f = open(("/run/netns/" + ns).c_str(), O_RDONLY | O_CLOEXEC);
  if (f < 0 || setns(f, CLONE_NEWNET)) die("setns %s: %s", ns.c_str(), strerror(errno));
  close(f);
  int t = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (t < 0) die("/dev/net/tun: %s", strerror(errno));
  ifreq r;
  memset(&r, 0, sizeof r);
  r.ifr_flags = IFF_TUN | IFF_NO_PI;
  strncpy(r.ifr_name, dev.c_str(), IFNAMSIZ - 1);
  if (ioctl(t, TUNSETIFF, &r)) die("TUNSETIFF %s: %s", dev.c_str(), strerror(errno));
  return t;
}
static string ips(u32 i) {
  char b[32];
  snprintf(b, 32, "%u.%u.%u.%u", i >> 24, i >> 16 & 255, i >> 8 & 255, i & 255);
  return b;
}
static string command(string l) {
  while (!l.empty() && isspace((u8)l.back())) l.pop_back();
  size_t s = l.find(' ');
  string c = l.substr(0, s), a = s == string::npos ? "" : l.substr(s + 1);
  i64 now = now_ns();
  char b[512];
  if (c == "flush") {
    flush_all();
    return "ok\n";
  }
  if (c == "ext") {
    flush_all();
    return set_nat("ext=" + a) ? "ok\n" : "error\n";
  }
  if (c == "nat") {
    flush_all();
    return set_nat(a) ? "ok\n" : "error\n";
  }
  if (c == "imp") {
    size_t k = a.find(' ');
    string w = a.substr(0, k), v = k == string::npos ? "" : a.substr(k + 1);
    bool ok = true;
    if (w != "down") ok &= set_imp(up, v);
    if (w != "up") ok &= set_imp(down, v);
    return ok ? "ok\n" : "error\n";
  }
  if (c == "cut") {
    up.cut = a == "both" || a == "up";
    down.cut = a == "both" || a == "down";
    return "ok\n";
  }
  if (c == "dump") {
    string o;
    sweep(now);
    for (auto& p : by_ext) {
      Mapping* m = p.second;
      snprintf(b, 512, "%s %s:%u -> %s:%u remote %s:%u filters %zu idle %.1fs\n",
               m->proto == 6    ? "tcp"
               : m->proto == 17 ? "udp"
                                : "icmp",
               ips(m->ip).c_str(), m->port, ips(nat.ext).c_str(), m->eport, ips(m->rip).c_str(),
               m->rport, m->filt.size(), (now - m->last) / 1e9);
      o += b;
    }
    return o;
  }
  if (c == "stats") {
    string o;
    snprintf(b, 512,
             "mappings %zu new %llu expired %llu in_drop_nomap %llu in_drop_filter %llu "
             "out_drop_max %llu out_drop_full %llu hairpin %llu hairpin_drop %llu\n",
             by_ext.size(), (unsigned long long)st_new, (unsigned long long)st_expired,
             (unsigned long long)st_in_drop_nomap, (unsigned long long)st_in_drop_filter,
             (unsigned long long)st_out_drop_max, (unsigned long long)st_out_drop_full,
             (unsigned long long)st_hair, (unsigned long long)st_hair_drop);
    o += b;
    for (Dir* d : {&up, &down}) {
      snprintf(b, 512,
               "%s packets %llu bytes %llu lost %llu queue_drop %llu cut_drop %llu dup %llu "
               "reordered %llu write_errors %llu\n",
               d == &up ? "up" : "down", (unsigned long long)d->n, (unsigned long long)d->bytes,
               (unsigned long long)d->lost, (unsigned long long)d->qdrop,
               (unsigned long long)d->cutdrop, (unsigned long long)d->dups,
               (unsigned long long)d->reord, (unsigned long long)d->werr);
      o += b;
    }
    return o;
  }
  return "error: unknown command\n";
}
int main(int argc, char** argv) {
  string in, out, ctl;
  u64 seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    string k = argv[i], v = argv[i + 1];
    if (k == "--in")
      in = v;
    else if (k == "--out")
      out = v;
    else if (k == "--ctl")
      ctl = v;
    else if (k == "--seed")
      seed = strtoull(v.c_str(), 0, 10);
    else if (k == "--nat") {
      if (!set_nat(v)) die("bad --nat %s", v.c_str());
    } else if (k == "--up") {
      if (!set_imp(up, v)) die("bad --up");
    } else if (k == "--down") {
      if (!set_imp(down, v)) die("bad --down");
    } else
      die("unknown option %s", k.c_str());
  }
  if (in.empty() || out.empty() || ctl.empty()) die("need --in --out --ctl");
  rng.seed(seed);
  signal(SIGPIPE, SIG_IGN);
  int cs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un sa;
  memset(&sa, 0, sizeof sa);
  sa.sun_family = AF_UNIX;
  strncpy(sa.sun_path, ctl.c_str(), sizeof sa.sun_path - 1);
  unlink(ctl.c_str());
  if (bind(cs, (sockaddr*)&sa, sizeof sa) || listen(cs, 16))
    die("ctl %s: %s", ctl.c_str(), strerror(errno));
  fd_in = open_tun(in);
  fd_out = open_tun(out);
  sched_param sp;
  sp.sched_priority = 1;
  sched_setscheduler(0, SCHED_RR, &sp);  // best effort: precise delays on a busy machine
  printf("ready\n");
  fflush(stdout);
  i64 next_sweep = now_ns() + 1000000000LL;
  static u8 buf[65600];
  for (;;) {
    i64 now = now_ns();
    release(now);
    i64 t = next_sweep;
    if (!up.q.empty()) t = std::min(t, up.q.top().t);
    if (!down.q.empty()) t = std::min(t, down.q.top().t);
    i64 w = std::max<i64>(0, t - now);
    timespec ts{(time_t)(w / 1000000000LL), (long)(w % 1000000000LL)};
    pollfd pf[3] = {{fd_in, POLLIN, 0}, {fd_out, POLLIN, 0}, {cs, POLLIN, 0}};
    int n = ppoll(pf, 3, &ts, nullptr);
    if (n < 0 && errno != EINTR) die("poll: %s", strerror(errno));
    now = now_ns();
    if (now >= next_sweep) {
      sweep(now);
      next_sweep = now + 1000000000LL;
    }
    if (n <= 0) continue;
    for (int side = 0; side < 2; side++)
      if (pf[side].revents) {
        int fd = side ? fd_out : fd_in;
        for (int c = 0; c < 128; c++) {
          ssize_t r = read(fd, buf, sizeof buf);
          if (r < 0) {
            if (errno == EAGAIN || errno == EINTR) break;
            if (errno == EIO) {
              usleep(1000);
              break;
            }
            die("tun read: %s", strerror(errno));
          }
          if (r < 20 || buf[0] >> 4 != 4) continue;  // IPv4 only
          Pkt* p = getp();
          p->b.assign(buf, buf + r);
          if (side) {
            enqueue(down, p, now);
            continue;
          }
          Verdict v = nat.on ? nat_out(*p, now) : PASS;
          if (v == PASS)
            enqueue(up, p, now);
          else {
            if (v == HAIR) tun_write(fd_in, p, down);
            putp(p);
          }
        }
      }
    if (pf[2].revents) {
      int c = accept4(cs, 0, 0, SOCK_CLOEXEC);
      if (c >= 0) {
        timeval tv{1, 0};
        setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
        char b[1024];
        ssize_t r = read(c, b, sizeof b - 1);
        if (r > 0) {
          string o = command(string(b, r));
          size_t k = 0;
          while (k < o.size()) {
            ssize_t x = write(c, o.data() + k, o.size() - k);
            if (x <= 0) break;
            k += x;
          }
        }
        close(c);
      }
    }
  }
}
