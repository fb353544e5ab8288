// The one thread for what blocks: fsync, parsing files, walking /proc.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <utility>

namespace wormhole {

/// Runs one job after another on a thread of its own and answers on the io_context. The thread is
/// made with the first job: most clients never need it. The destructor waits for the jobs begun and
/// queued, so that nothing durable is lost; their answers then never come.
class Worker {
 public:
  explicit Worker(boost::asio::io_context& io) : io_(io) {}
  ~Worker() {
    if (pool_) pool_->join();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// `work` runs on the thread and must not touch what the loop's thread uses; `done(result)` runs
  /// on the io_context.
  template <typename Work, typename Done>
  void run(Work work, Done done) {
    if (!pool_) pool_.emplace(1);
    auto job = [&io = io_, work = std::move(work), done = std::move(done),
                keep_running = boost::asio::make_work_guard(io_)]() mutable {
      auto answer = [result = work(), done = std::move(done)]() mutable {
        done(std::move(result));
      };
      boost::asio::post(io, std::move(answer));
    };
    boost::asio::post(*pool_, std::move(job));
  }

 private:
  boost::asio::io_context& io_;
  std::optional<boost::asio::thread_pool> pool_;
};

}  // namespace wormhole
