#include "shell/name_lookup.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "shell/socket_address.hpp"

namespace wormhole {
namespace {

/// What the thread and the loop share; whoever is last frees it.
struct Lookup {
  std::string host;
  std::uint16_t port;
  FileDescriptor done_event;
  NameLookup::Answer answer;
  std::atomic<bool> done = false;
};

Endpoint endpoint_of(const addrinfo& info, std::uint16_t port) {
  SocketAddress address;
  if (info.ai_addrlen > SocketAddress::capacity()) return {};
  std::memcpy(address.data(), info.ai_addr, info.ai_addrlen);
  auto endpoint = address.endpoint();
  endpoint.port = port;
  return endpoint;
}

NameLookup::Answer resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failed != 0) return {{}, ::gai_strerror(failed)};
  NameLookup::Answer answer;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    answer.endpoints.push_back(endpoint_of(*info, port));
  }
  ::freeaddrinfo(list);
  return answer;
}

void run(const std::shared_ptr<Lookup>& lookup) {
  lookup->answer = resolve(lookup->host, lookup->port);
  lookup->done.store(true, std::memory_order_release);
  (void)::eventfd_write(lookup->done_event.get(), 1);
}

}  // namespace

void NameLookup::start(const std::string& host, std::uint16_t port, OnAnswer on_answer) {
  if (under_way()) return;
  auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  lookup->port = port;
  FileDescriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (event.is_open()) lookup->done_event.reset(::fcntl(event.get(), F_DUPFD_CLOEXEC, 0));
  if (!lookup->done_event.is_open()) {
    return on_answer({{}, std::generic_category().message(errno)});
  }
  answered_ = Readable(io_, std::move(event), [this, lookup, on_answer = std::move(on_answer)] {
    if (!lookup->done.load(std::memory_order_acquire)) return;
    close();  // first: the answer may ask for the next lookup
    on_answer(lookup->answer);
  });
  std::thread([lookup] { run(lookup); }).detach();
}

}  // namespace wormhole
