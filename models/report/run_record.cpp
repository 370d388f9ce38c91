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
      default:
        append(now, s);
        break;
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
          instances_.push_back({.node = s.node,
                                .group = GroupId{c.subject},
                                .launch = now,
                                .launch_reason = static_cast<LaunchReason>(c.detail & 0xff)});
        }
        break;
      case Command::Kind::terminate_instances:
        for (const NodeShare& s : commands.shares_of(c)) {
          InstanceRecord& instance = instances_[instance_of_[index(s.node)]];
          instance.end = now;
          instance.end_reason = static_cast<EndReason>(c.detail);
        }
        break;
      case Command::Kind::stop_job:
        if (jobs_[c.subject].state == JobState::configuring) name_instances(jobs_[c.subject]);
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

// The last instance that the node got, if it got any.
InstanceRecord* RunRecord::instance_on(std::uint32_t node) {
  const std::uint32_t i = instance_of_[node];
  return i == HeldShare::kPermanent ? nullptr : &instances_[i];
}

// News of instances, and of what is around them.
void RunRecord::append(Time now, const Stimulus& news) {
  switch (news.kind) {
    case Stimulus::Kind::instance_running:
      instances_[instance_of_[news.subject]].running = now;
      break;
    case Stimulus::Kind::node_ready:
      instances_[instance_of_[news.subject]].ready = now;
      break;
    case Stimulus::Kind::instance_terminated: {
      // A call that EC2 throttled or did not hear ends nothing until it works.
      InstanceRecord* const instance = instance_on(news.subject);
      if (instance != nullptr && instance->is_over() && !instance->loss) instance->end = now;
      break;
    }
    case Stimulus::Kind::instance_launched:
      instances_[instance_of_[news.subject]].offer = news.detail & 0xffff;
      instances_[instance_of_[news.subject]].reservation = news.detail >> 16;
      break;
    case Stimulus::Kind::instance_lost: {
      InstanceRecord& instance = instances_[instance_of_[news.subject]];
      instance.end = now;
      instance.loss = static_cast<Loss>(news.detail);
      break;
    }
    case Stimulus::Kind::instance_placed:
      instances_[instance_of_[news.subject]].leaf = LeafId{news.detail};
      break;
    case Stimulus::Kind::launch_refused:
      refuse(now, news);
      break;
    case Stimulus::Kind::node_lost:
    case Stimulus::Kind::node_back:
    case Stimulus::Kind::instance_impaired:
    case Stimulus::Kind::spot_warned:
      notices_.push_back({now, news, instance_of_[news.subject]});
      break;
    case Stimulus::Kind::cluster_changed:
    case Stimulus::Kind::budget_reached:
      notices_.push_back({now, news, HeldShare::kPermanent});
      break;
    case Stimulus::Kind::job_arrived:
    case Stimulus::Kind::job_finished:
    case Stimulus::Kind::job_asked:
    case Stimulus::Kind::node_asked:
    case Stimulus::Kind::updated:
      break;  // what follows from it comes as commands
  }
}

// What was asked for did not come to be. Refusals come soon after the request: most of the time nothing is left of it.
void RunRecord::refuse(Time now, const Stimulus& news) {
  InstanceRecord& asked = instances_[instance_of_[news.subject]];
  failures_.push_back({asked.node, asked.group, now, static_cast<Refusal>(news.detail)});
  asked.refused = true;
  instance_of_[news.subject] = HeldShare::kPermanent;
  while (!instances_.empty() && instances_.back().refused) instances_.pop_back();
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
// One that does not run yet is none: it may still be refused.
void RunRecord::name_instances(const JobRecord& job) {
  for (HeldShare& s : std::span(shares_).subspan(job.first_share, job.share_count)) {
    s.instance = instance_of_[index(s.node)];
    const InstanceRecord* const instance = instance_on(number(s.node));
    if (instance != nullptr && instance->running == kNever) s.instance = HeldShare::kPermanent;
  }
}

}  // namespace headroom
