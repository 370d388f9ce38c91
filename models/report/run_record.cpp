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
      case Stimulus::Kind::job_finished: {
        JobRecord& job = jobs_[s.subject];
        if (job.state == JobState::configuring) name_instances(job);
        if (job.state != JobState::completing) job.end = now;
        job.freed = now;
        job.state = state_after(static_cast<Outcome>(s.detail));
        break;
      }
      case Stimulus::Kind::instance_running:
        instances_[instance_of_[s.subject]].running = now;
        break;
      case Stimulus::Kind::node_ready:
        instances_[instance_of_[s.subject]].ready = now;
        break;
      case Stimulus::Kind::instance_terminated:
        break;  // billing ended when it was asked for
      case Stimulus::Kind::node_lost:
      case Stimulus::Kind::node_back:
      case Stimulus::Kind::job_asked:
      case Stimulus::Kind::node_asked:
      case Stimulus::Kind::updated:
      case Stimulus::Kind::launch_refused:
      case Stimulus::Kind::instance_launched:
      case Stimulus::Kind::instance_lost:
      case Stimulus::Kind::instance_impaired:
      case Stimulus::Kind::spot_warned:
      case Stimulus::Kind::cluster_changed:
      case Stimulus::Kind::budget_reached:
        break;  // what follows from it comes as commands
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
        hold(jobs_[c.subject], commands.shares_of(c));
        break;
      case Command::Kind::start_job: {
        JobRecord& job = jobs_[c.subject];
        if (job.allocated == kNever) job.allocated = now;
        job.start = now;
        if (job.state == JobState::configuring) {
          name_instances(job);
        } else {
          hold(job, commands.shares_of(c));
        }
        job.state = JobState::running;
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
      case Command::Kind::stop_job:
        jobs_[c.subject].end = now;
        jobs_[c.subject].state = JobState::completing;
        note_preemption(jobs_[c.subject], static_cast<Outcome>(c.detail) == Outcome::preempted);
        break;
      case Command::Kind::requeue_job: {
        JobRecord& job = jobs_[c.subject];
        if (job.state == JobState::configuring) name_instances(job);
        note_preemption(job, c.detail != 0);
        job.freed = now;
        lost_.push_back({JobId{c.subject}, job});
        job.makes_way = false;
        job.allocated = job.start = job.end = job.freed = kNever;
        job.share_count = job.core_count = 0;
        job.state = JobState::pending;
        ++job.requeues;
        break;
      }
      case Command::Kind::share_cores: {
        const std::span<const NodeShare> cores = commands.shares_of(c);
        jobs_[c.subject].first_core = static_cast<std::uint32_t>(cores_.size());
        jobs_[c.subject].core_count = static_cast<std::uint32_t>(cores.size());
        cores_.insert(cores_.end(), cores.begin(), cores.end());
        break;
      }
      case Command::Kind::move_job:
        jobs_[c.subject].request.queue = QueueId{c.detail};
        break;
      case Command::Kind::end_job: {
        JobRecord& job = jobs_[c.subject];
        if (job.state == JobState::configuring) name_instances(job);
        if (job.end == kNever) job.end = now;
        job.freed = now;
        note_preemption(job, !job.makes_way && static_cast<Outcome>(c.detail) == Outcome::preempted);
        job.state = state_after(static_cast<Outcome>(c.detail));
        break;
      }
    }
  }
}

void RunRecord::note_preemption(JobRecord& job, bool makes_way) {
  if (!makes_way) return;
  job.makes_way = true;
  ++job.preemptions;
}

void RunRecord::hold(JobRecord& job, std::span<const NodeShare> shares) {
  job.first_share = static_cast<std::uint32_t>(shares_.size());
  job.share_count = static_cast<std::uint32_t>(shares.size());
  for (const NodeShare& s : shares) shares_.push_back({instance_of_[index(s.node)], s.node, s.cores});
}

// A job may get nodes whose instances are launched only later: which ones they are is known when it no longer waits.
void RunRecord::name_instances(const JobRecord& job) {
  for (HeldShare& s : std::span(shares_).subspan(job.first_share, job.share_count)) {
    s.instance = instance_of_[index(s.node)];
  }
}

}  // namespace headroom
