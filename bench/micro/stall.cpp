// stall: how long the hypervisor/other tasks take a spinning thread off its vCPU. stall N secs
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
static unsigned long now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ul + t.tv_nsec;
}
int main(int c, char** v) {
  int n = atoi(v[1]);
  double s = atof(v[2]);
  std::vector<std::thread> T;
  for (int i = 0; i < n; i++)
    T.emplace_back([=] {
      cpu_set_t m;
      CPU_ZERO(&m);
      CPU_SET(3 - i, &m);
      pthread_setaffinity_np(pthread_self(), sizeof m, &m);
      unsigned long e = now() + s * 1e9, l = now(), t, tot = 0, mx = 0, k = 0;
      while ((t = now()) < e) {
        if (t - l > 50000) {
          tot += t - l;
          k++;
          mx = std::max(mx, t - l);
        }
        l = t;
      }
      printf("cpu%d: %lu stalls >50us, %.2f%% of time, max %.1f ms\n", 3 - i, k,
             100.0 * tot / (s * 1e9), mx / 1e6);
    });
  for (auto& t : T) t.join();
}
