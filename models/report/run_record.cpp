#include "models/report/run_record.hpp"

namespace headroom {

void RunRecord::append(Time now, const News& news, const Commands& commands) {
  if (begin_ == kNever) begin_ = now;
  if (!news.stimuli.empty() || !commands.list.empty()) end_ = now;
  ++steps_;
  events_ += news.stimuli.size();
  std::size_t arrival = 0;
  for (const Stimulus& s : news.stimuli) {
    switch (s.kind) {
      case Stimulus::Kind::job_arrived: {
        JobRecord job;
        job.request = news.arrivals[arrival++];
        jobs_.push_back(job);
        break;
      }
      case Stimulus::Kind::job_finished:
        jobs_[s.subject].end = now;
        jobs_[s.subject].state = state_after(static_cast<Outcome>(s.detail));
        break;
      case Stimulus::Kind::instance_running:
        instances_[instance_of_[s.subject]].running = now;
        break;
      case Stimulus::Kind::node_ready:
        instances_[instance_of_[s.subject]].ready = now;
        break;
      case Stimulus::Kind::instance_terminated:
        break;  // billing ended when it was asked for
    }
  }
  for (const Command& c : commands.list) {
    switch (c.kind) {
      case Command::Kind::reject_job:
        jobs_[c.subject].state = JobState::rejected;
        jobs_[c.subject].rejection = static_cast<Rejection>(c.detail);
        break;
      case Command::Kind::allocate_job:
        jobs_[c.subject].allocated = now;
        jobs_[c.subject].state = JobState::configuring;
        break;
      case Command::Kind::start_job: {
        JobRecord& job = jobs_[c.subject];
        if (job.allocated == kNever) job.allocated = now;
        job.start = now;
        job.state = JobState::running;
        hold(job, commands.shares_of(c));
        break;
      }
      case Command::Kind::launch_instances:
        for (const NodeShare& s : commands.shares_of(c)) {
          instance_of_[index(s.node)] = static_cast<std::uint32_t>(instances_.size());
          instances_.push_back({s.node, GroupId{c.subject}, now});
        }
        break;
      case Command::Kind::terminate_instances:
        for (const NodeShare& s : commands.shares_of(c)) instances_[instance_of_[index(s.node)]].end = now;
        break;
    }
  }
}

void RunRecord::hold(JobRecord& job, std::span<const NodeShare> shares) {
  job.first_share = static_cast<std::uint32_t>(shares_.size());
  job.share_count = static_cast<std::uint32_t>(shares.size());
  for (const NodeShare& s : shares) shares_.push_back({instance_of_[index(s.node)], s.node, s.cores});
}

}  // namespace headroom
