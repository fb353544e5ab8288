// Where blocking work goes: files, fsync, parsing. One thread beside the loop, which touches
// nothing of the loop's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace wormhole {

class Worker {
 public:
  explicit Worker(boost::asio::io_context& io) : io_(io) {}
  /// Waits for the job at hand; jobs behind it are dropped.
  ~Worker() {
    pool_.stop();
    pool_.join();
  }

  /// Runs `job` on the worker, then `done(result)` on the loop. Jobs run one after another, in
  /// order.
  template <typename Job, typename Done>
  void run(Job job, Done done) {
    boost::asio::post(pool_, [this, job = std::move(job), done = std::move(done)]() mutable {
      boost::asio::post(
          io_, [result = job(), done = std::move(done)]() mutable { done(std::move(result)); });
    });
  }

 private:
  boost::asio::io_context& io_;
  boost::asio::thread_pool pool_{1};
};

}  // namespace wormhole
