#include "wormhole/api/token_keeper.hpp"

#include <chrono>
#include <utility>

#include "wormhole/shell/system_rng.hpp"

namespace wormhole {

namespace {

/// Unix seconds, for people who read the list.
std::uint64_t wall_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

/// What the worker did: the answer, and the list when it has changed.
template <typename T>
struct Change {
  Result<T> answer;
  TokenList tokens;
};

/// Makes `change` on a copy of `stored`, which becomes the list when it is on the disk.
template <typename T, typename Make>
Change<T> store(const std::string& dir, TokenList& stored, Make make) {
  TokenList changed = stored;
  Result<T> answer = make(changed);
  if (!answer) return {std::move(answer), stored};
  if (const auto saved = save_tokens(dir, changed); !saved) return {saved.error(), stored};
  stored = std::move(changed);
  return {std::move(answer), stored};
}

}  // namespace

TokenKeeper::TokenKeeper(boost::asio::io_context& io, std::string state_dir, TokenList tokens)
    : state_dir_(std::move(state_dir)),
      in_force_(tokens),
      stored_(std::move(tokens)),
      worker_(io) {}

void TokenKeeper::add(const std::string& name, TokenScope scope, OnToken done) {
  worker_.run(
      [this, name, scope] {
        return store<std::string>(state_dir_, stored_, [&](TokenList& tokens) {
          SystemRng rng;  // of this thread
          return tokens.add(name, scope, wall_seconds(), rng);
        });
      },
      [this, done = std::move(done)](Change<std::string> change) {
        in_force_ = std::move(change.tokens);
        done(std::move(change.answer));
      });
}

void TokenKeeper::remove(const std::string& name, OnRemoved done) {
  worker_.run(
      [this, name] {
        return store<void>(state_dir_, stored_,
                           [&](TokenList& tokens) { return tokens.remove(name); });
      },
      [this, done = std::move(done)](Change<void> change) {
        in_force_ = std::move(change.tokens);
        done(std::move(change.answer));
      });
}

}  // namespace wormhole
