// crypto: cost of sealing/opening one 1200-byte packet (16-byte outer header as associated data).
// g++ -O2 crypto.cpp -lsodium -lcrypto ; ns of thread CPU time, median and minimum over batches.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <vector>
static double cpu() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}
static void bench(const char* n, int len, std::function<void()> f) {
  std::vector<double> v;
  for (int i = 0; i < 300; i++) f();
  for (int b = 0; b < 120; b++) {
    double t = cpu();
    for (int i = 0; i < 400; i++) f();
    v.push_back((cpu() - t) / 400);
  }
  std::sort(v.begin(), v.end());
  printf("%-46s %5d B  median %7.0f ns  min %7.0f ns  %6.2f Gbit/s/core\n", n, len, v[v.size() / 2],
         v[0], len * 8 / v[v.size() / 2]);
  fflush(stdout);
}
static void evp(const char* name, const EVP_CIPHER* c, int klen, int len) {
  unsigned char k[32] = {1}, iv[12] = {2}, ad[16] = {}, m[2048] = {3}, o[2048], tag[16];
  int l;
  (void)klen;
  EVP_CIPHER_CTX *e = EVP_CIPHER_CTX_new(), *d = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(e, c, 0, k, iv);
  EVP_DecryptInit_ex(d, c, 0, k, iv);
  char b[80];
  auto seal = [&] {
    iv[0]++;
    EVP_EncryptInit_ex(e, 0, 0, 0, iv);
    EVP_EncryptUpdate(e, 0, &l, ad, 16);
    EVP_EncryptUpdate(e, o, &l, m, len);
    EVP_EncryptFinal_ex(e, o + l, &l);
    EVP_CIPHER_CTX_ctrl(e, EVP_CTRL_AEAD_GET_TAG, 16, tag);
  };
  snprintf(b, 80, "openssl EVP %s seal", name);
  bench(b, len, seal);
  unsigned char o2[2048];
  snprintf(b, 80, "openssl EVP %s open", name);
  bench(b, len, [&] {
    EVP_DecryptInit_ex(d, 0, 0, 0, iv);
    EVP_DecryptUpdate(d, 0, &l, ad, 16);
    EVP_DecryptUpdate(d, o2, &l, o, len);
    EVP_CIPHER_CTX_ctrl(d, EVP_CTRL_AEAD_SET_TAG, 16, tag);
    if (EVP_DecryptFinal_ex(d, o2 + l, &l) != 1) abort();
  });
}
int main(int c, char** v) {
  int L = c > 1 ? atoi(v[1]) : 1200;
  if (sodium_init() < 0) return 1;
  printf("libsodium %s, %s, aes256gcm %s\n", sodium_version_string(),
         OpenSSL_version(OPENSSL_VERSION), crypto_aead_aes256gcm_is_available() ? "yes" : "no");
  unsigned char k[32] = {1}, n[24] = {2}, ad[16] = {}, m[2048] = {3}, o[2048], p[2048];
  unsigned long long ol;
#define AEAD(x)                                                               \
  bench("sodium " #x " seal", L, [&] {                                        \
    n[0]++;                                                                   \
    crypto_aead_##x##_encrypt(o, &ol, m, L, ad, 16, 0, n, k);                 \
  });                                                                         \
  bench("sodium " #x " open", L, [&] {                                        \
    if (crypto_aead_##x##_decrypt(p, 0, 0, o, L + 16, ad, 16, n, k)) abort(); \
  });
  AEAD(chacha20poly1305_ietf)
  AEAD(xchacha20poly1305_ietf) if (crypto_aead_aes256gcm_is_available()) {
    AEAD(aes256gcm)
    alignas(16) crypto_aead_aes256gcm_state st;
    crypto_aead_aes256gcm_beforenm(&st, k);
    bench("sodium aes256gcm_afternm seal", L, [&] {
      n[0]++;
      crypto_aead_aes256gcm_encrypt_afternm(o, &ol, m, L, ad, 16, 0, n, &st);
    });
    bench("sodium aes256gcm_afternm open", L, [&] {
      if (crypto_aead_aes256gcm_decrypt_afternm(p, 0, 0, o, L + 16, ad, 16, n, &st)) abort();
    });
  }
  bench("sodium secretbox_easy (xsalsa20poly1305) seal", L, [&] {
    n[0]++;
    crypto_secretbox_easy(o, m, L, n, k);
  });
  bench("sodium secretbox_easy open", L, [&] {
    if (crypto_secretbox_open_easy(p, o, L + 16, n, k)) abort();
  });
  unsigned char pk[32], sk[32];
  crypto_box_keypair(pk, sk);
  bench("sodium box_easy (X25519 each packet!) seal", L, [&] {
    if (crypto_box_easy(o, m, L, n, pk, sk)) abort();
  });
  bench("sodium generichash 64-bit keyed tag over 16 B", 16,
        [&] { crypto_generichash(o, 16, m, 16, k, 32); });
  bench("sodium shorthash (SipHash-2-4) over 16 B", 16, [&] { crypto_shorthash(o, m, 16, k); });
  evp("AES-128-GCM", EVP_aes_128_gcm(), 16, L);
  evp("AES-256-GCM", EVP_aes_256_gcm(), 32, L);
  evp("ChaCha20-Poly1305", EVP_chacha20_poly1305(), 32, L);
}
