#include "engine/controller.hpp"

#include <algorithm>

namespace headroom {
namespace {

// More steps than this at one instant without any news would be a policy that asks for itself again and again.
constexpr std::uint32_t kMaxIdleSteps = 1000;

// What every step keeps up to date is added up anew so often: it costs as much as there are jobs.
constexpr std::uint64_t kAuditEvery = 1 << 16;

bool does_keep_time(const SchedulerPolicy* scheduler) {
  ensure(scheduler != nullptr, "a cluster has a scheduling policy");
  return scheduler->keeps_time();
}

}  // namespace

void Plan::start(JobId job, std::span<const NodeShare> nodes, Time expected) {
  controller_.start(job, nodes, expected);
}
void Plan::start_sharing(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores) {
  controller_.start_sharing(job, nodes, cores);
}
void Plan::reserve(JobId job, Time at, std::span<const NodeShare> nodes, Time expected) {
  controller_.reserve(job, at, nodes, expected);
}
void Plan::drop_reservation(JobId job) { controller_.drop_reservation(job); }
void Plan::reject(JobId job, Rejection why) { controller_.reject(job, why); }
void Plan::run(JobId job) { controller_.run(job); }
void Plan::stop(JobId job, Outcome outcome) { controller_.stop(job, outcome); }
void Plan::end(JobId job, Outcome outcome) {
  ensure(controller_.keeps_time_, "only a policy that keeps time ends jobs");
  controller_.end(job, outcome);
}
void Plan::requeue(JobId job, bool makes_way) {
  ensure(controller_.keeps_time_, "only a policy that keeps time requeues jobs");
  controller_.requeue(job, makes_way);
}
void Plan::move(JobId job, QueueId queue) { controller_.move(job, queue); }
void Plan::set_down(NodeId node) { controller_.set_down(node); }
void Plan::set_usable(NodeId node) { controller_.set_usable(node); }
void Plan::expect(JobId job, Time expected) { controller_.expect(job, expected); }

Controller::Controller(const ClusterSpec& spec, std::unique_ptr<SchedulerPolicy> scheduler,
                       std::unique_ptr<ScalerPolicy> scaler)
    : cluster_(spec),
      queues_(spec.queues.size()),
      scheduler_(std::move(scheduler)),
      scaler_(std::move(scaler)),
      keeps_time_(does_keep_time(scheduler_.get())),
      scaler_wake_(scaler_ != nullptr ? 0 : kNever),
      waiting_jobs_(cluster_.node_count()),
      has_instance_(cluster_.node_count()),
      ending_(cluster_.node_count()),
      held_back_(cluster_.node_count()),
      named_(cluster_.node_count()) {
  for (std::uint32_t g = 0; g < spec.groups.size(); ++g) {
    const std::int32_t jobs = scheduler_->jobs_per_core(cluster_.spec(), GroupId{g});
    ensure(jobs == 1 || (keeps_time_ && jobs > 1), "only a policy that keeps time lets jobs share cores");
    if (jobs > 1) cluster_.let_share(GroupId{g}, jobs);
  }
  std::int64_t instances = 0;
  for (std::uint32_t g = 0; g < spec.groups.size(); ++g) {
    if (spec.groups[g].supply != Supply::permanent) instances += cluster_.present(GroupId{g});
  }
  for (std::uint32_t n = 0; n < held_back_.size(); ++n) {
    if (!cluster_.is_present(NodeId{n})) held_back_[n] = {kNever, Withdrawal::Why::removed};
  }
  ensure(instances <= spec.instance_limit, "the groups' maxima stay within the cluster's instance limit [PCS-3]");
}

Time Controller::step(Time now, const News& news, Commands& commands) {
  begin(now, !news.stimuli.empty());
  commands_ = &commands;

  const auto is_asked = [](const Stimulus& s) {
    return (s.kind >= Stimulus::Kind::node_lost && s.kind <= Stimulus::Kind::updated) ||
           s.kind == Stimulus::Kind::cluster_changed;
  };
  // Losses first: no job starts on a node that is lost at the same instant.
  any_lost_ = false;
  for (const Stimulus& s : news.stimuli) {
    if (s.kind != Stimulus::Kind::instance_lost) continue;
    any_lost_ = true;
    hear(s);
  }
  bool any_asked = false;
  for (const Stimulus& s : news.stimuli) {
    if (is_asked(s)) {
      any_asked = true;
    } else if (s.kind != Stimulus::Kind::instance_lost) {
      hear(s);
    }
  }
  // Arrivals after that: what ended at the same instant no longer counts against the limit of jobs.
  std::size_t next_arrival = 0;
  for (const Stimulus& s : news.stimuli) {
    if (s.kind != Stimulus::Kind::job_arrived) continue;
    ensure(next_arrival < news.arrivals.size(), "every arrival brings its request");
    const JobRequest& request = news.arrivals[next_arrival++];
    ensure(request.terms <= news.terms.size(), "a request's terms come with it");
    arrive(JobId{s.subject}, request, request.terms == 0 ? nullptr : &news.terms[request.terms - 1]);
  }
  // Requests from outside last: they may be about a job that arrived at this instant.
  for (std::size_t i = 0; any_asked && i < news.stimuli.size(); ++i) {
    if (is_asked(news.stimuli[i])) hear(news.stimuli[i]);
  }
  if (now >= next_down_) settle_power();
  if (now >= next_overdue_) extend_overdue();
  if (now >= next_return_) return_nodes();

  const View view = present();
  bool to_scale = keeps_time_;
  if (!cloud_.empty()) {
    if (scaler_ != nullptr) {
      ScalePlan plan(*this);
      scaler_->hear(view, cloud_, plan);
      to_scale = true;
    }
    cloud_.clear();
  }
  changes_.arrivals = arrivals_;
  changes_.finished = finished_;
  if (keeps_time_) {
    changes_.over = over_;
    changes_.registered = registered_;
    changes_.given_up = given_up_;
    changes_.asked = asked_;
    changes_.withdrawn = withdrawn_;
    changes_.returned = returned_;
  }
  if (changes_.any() || now >= scheduler_wake_) {
    Plan plan(*this);
    scheduler_wake_ = scheduler_->plan(view, plan);
    changes_ = {};
    arrivals_.clear();
    finished_.clear();
    if (keeps_time_) {
      for (const NodeId node : given_up_) cluster_.want_again(node);
      for (const Withdrawal& w : withdrawn_) cluster_.want_again(w.node);
      over_.clear();
      registered_.clear();
      given_up_.clear();
      asked_.clear();
      withdrawn_.clear();
      returned_.clear();
    }
  }
  to_scale |= now >= scaler_wake_ || !newly_idle_.empty() || !cluster_.wanted().empty();
  if (scaler_ != nullptr && to_scale) {
    ScalePlan plan(*this);
    idle_.swap(newly_idle_);
    scaler_wake_ = scaler_->scale(view, idle_, plan);
    idle_.clear();
    if (!newly_idle_.empty()) scaler_wake_ = now_;  // their jobs lost another node just now
  }

  check();
  if (++steps_ % kAuditEvery == 0) cluster_.audit();
  commands_ = nullptr;
  return std::min({scheduler_wake_, scaler_wake_, next_overdue_, next_down_, next_return_});
}

View Controller::present() const {
  View view;
  view.now_ = now_;
  view.jobs_ = &jobs_;
  view.cluster_ = &cluster_;
  view.queues_ = &queues_;
  view.changes_ = &changes_;
  view.waiting_jobs_ = &waiting_jobs_;
  view.has_instance_ = &has_instance_;
  return view;
}

void Controller::begin(Time now, bool has_news) {
  ensure(now >= now_, "time does not run backwards");
  idle_steps_ = now == now_ && !has_news ? idle_steps_ + 1 : 0;
  ensure(idle_steps_ <= kMaxIdleSteps, "the core settles at every instant");
  now_ = now;
  cluster_.advance(now);
  for (PendingQueue& queue : queues_) queue.settle();
}

void Controller::hear(const Stimulus& s) {
  const bool about_a_job = s.kind <= Stimulus::Kind::job_finished || s.kind == Stimulus::Kind::job_asked;
  const bool about_a_table = s.kind == Stimulus::Kind::job_arrived || s.kind == Stimulus::Kind::updated ||
                             s.kind == Stimulus::Kind::cluster_changed || s.kind == Stimulus::Kind::budget_reached;
  ensure(about_a_table || s.subject < (about_a_job ? jobs_.size() : cluster_.node_count()),
         "news is about a job or a node that exists");
  switch (s.kind) {
    case Stimulus::Kind::job_arrived:
      break;  // arrive()
    case Stimulus::Kind::job_finished:
      ensure(s.detail < kOutcomes, "a job ends in one of the known ways");
      finish(JobId{s.subject}, static_cast<Outcome>(s.detail));
      break;
    case Stimulus::Kind::instance_running:
      ensure(cluster_.state(NodeId{s.subject}) == NodeState::powering_up, "an instance runs after its launch");
      break;
    case Stimulus::Kind::node_ready:
      node_ready(NodeId{s.subject});
      break;
    case Stimulus::Kind::instance_terminated: {
      const auto it = std::find_if(going_down_.begin(), going_down_.end(),
                                   [&](const GoingDown& g) { return g.node == NodeId{s.subject} && !g.gone; });
      ensure(ending_[s.subject] > 0, "an instance is gone once, after its termination was asked for");
      // Its last one: a node that got another instance before the one before was gone waits for both.
      if (--ending_[s.subject] == 0 && it != going_down_.end()) it->gone = true;
      break;
    }
    case Stimulus::Kind::node_lost:
    case Stimulus::Kind::node_back:
    case Stimulus::Kind::job_asked:
    case Stimulus::Kind::node_asked:
    case Stimulus::Kind::updated:
      ensure(keeps_time_, "only a policy that keeps time deals with lost nodes and requests from outside");
      asked_.push_back(s);
      break;
    case Stimulus::Kind::instance_launched:
      ensure(cluster_.state(NodeId{s.subject}) == NodeState::powering_up, "an instance is there after its launch");
      break;
    case Stimulus::Kind::instance_placed:
      ensure(has_instance_[s.subject] != 0, "an instance that is there is placed");
      cluster_.placed(NodeId{s.subject}, LeafId{s.detail});
      break;
    case Stimulus::Kind::launch_refused:
    case Stimulus::Kind::instance_lost:
      ensure(has_instance_[s.subject] != 0, "a node loses the instance that it has, or that was asked for");
      ensure(s.kind != Stimulus::Kind::launch_refused || cluster_.state(NodeId{s.subject}) == NodeState::powering_up,
             "a launch is refused after it was asked for");
      has_instance_[s.subject] = 0;
      cloud_.push_back(s);
      break;
    case Stimulus::Kind::instance_impaired:
    case Stimulus::Kind::spot_warned:
      ensure(has_instance_[s.subject] != 0 || any_lost_, "news is about an instance that is there");
      cloud_.push_back(s);
      break;
    case Stimulus::Kind::cluster_changed:
      ensure(s.subject < cluster_.spec().changes.size(), "a change is one that the cluster's design knows");
      change(cluster_.spec().changes[s.subject]);
      cloud_.push_back(s);
      if (keeps_time_) asked_.push_back(s);
      break;
    case Stimulus::Kind::budget_reached:
      cloud_.push_back(s);
      break;
  }
}

// --- jobs -----------------------------------------------------------------------------------------------------------

void Controller::arrive(JobId job, const JobRequest& request, const JobTerms* terms) {
  ensure(index(job) == jobs_.size(), "jobs are numbered in order of arrival");
  ensure(index(request.queue) < queues_.size() && request.cores > 0 && request.nodes >= 0 && request.limit > 0 &&
             request.memory >= 0,
         "a request is well formed");
  ensure((terms == nullptr && !request.spread) || keeps_time_,
         "only a policy that keeps time gets jobs with terms, or with cores spread over nodes");
  jobs_.add(request, terms);
  cluster_.add_job();
  waiting_nodes_.push_back(0);
  held_at_.push_back(0);
  const auto refuse = [&](Rejection why) {
    jobs_.move(job, JobState::rejected);
    commands_->add(Command::Kind::reject_job, number(job), static_cast<std::uint32_t>(why), {});
  };
  if (!cluster_.is_open(request.queue)) return refuse(Rejection::queue);
  if (!keeps_time_ && !cluster_.can_ever_hold(request)) return refuse(Rejection::too_wide);
  if (active_jobs_ >= static_cast<std::size_t>(cluster_.spec().job_limit)) return refuse(Rejection::job_limit);
  changes_.disturbed |= cluster_.admit(request);
  ++active_jobs_;
  ++pending_jobs_;
  queues_[index(request.queue)].push(job, cluster_.least_cores(request), request.limit);
  arrivals_.push_back(job);
}

void Controller::leave_queue(JobId job) {
  queues_[index(jobs_.request(job).queue)].remove(job);
  --pending_jobs_;
}

// That the nodes give what the request asks for: distinct nodes of its queue, all of them whole for an exclusive job.
void Controller::check_shares(JobId job, std::span<const NodeShare> nodes) {
  const JobRequest& request = jobs_.request(job);
  ++lists_;
  std::int64_t cores = 0;
  for (const NodeShare& share : nodes) {
    ensure(index(share.node) < named_.size() && named_[index(share.node)] != lists_, "a job is given distinct nodes");
    named_[index(share.node)] = lists_;
    ensure(cluster_.serves(cluster_.group_of(share.node), request.queue), "a job runs on nodes of its queue");
    ensure(!request.exclusive || share.cores == cluster_.cores(share.node), "an exclusive job takes whole nodes");
    ensure(request.nodes == 0 || request.spread || share.cores >= request.cores,
           "every node of a job gives the cores it asked for");
    cores += share.cores;
  }
  ensure(request.nodes == 0 || nodes.size() == static_cast<std::size_t>(request.nodes),
         "a job starts on as many nodes as it asked for");
  // Slurm 22.05 puts a task on what is left of a node, where that is less than --cpus-per-task.
  const std::int64_t lacking = std::ssize(nodes) * (jobs_.terms(job).cpus_per_task - 1);
  ensure((request.nodes > 0 && !request.spread) || cores >= request.cores - lacking,
         "a job starts only with its full allocation");
}

void Controller::start(JobId job, std::span<const NodeShare> nodes, Time expected) {
  get_nodes(job, nodes, {}, expected);
}

void Controller::start_sharing(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores) {
  ensure(keeps_time_ && !cores.empty(), "jobs that share cores name them, to a policy that keeps time");
  get_nodes(job, nodes, cores, kNever);
  commands_->add(Command::Kind::share_cores, number(job), 0, cores);
}

void Controller::get_nodes(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores,
                           Time expected) {
  const JobRequest& request = jobs_.request(job);
  check_shares(job, nodes);
  if (cluster_.claim(job).kind == Claim::Kind::reserved) cluster_.end_claim(job, now_);
  leave_queue(job);
  held_at_[index(job)] = static_cast<std::uint32_t>(held_.size());
  held_.push_back(job);
  std::uint32_t booting = 0;
  for (const NodeShare& share : nodes) {
    const NodeState state = cluster_.state(share.node);
    ensure(state != NodeState::powering_down && !cluster_.is_down(share.node),
           "a node that is down, or on its way, takes no job");
    if (state != NodeState::up) {
      ++booting;
      waiting_jobs_[index(share.node)].push_back(job);
    }
  }
  ensure(expected > 0, "a job that starts is expected to run");
  // Who ends jobs over their limit late holds their nodes for an unknown time.
  const Time until = keeps_time_ ? kNever : later(now_, std::min(expected, request.limit));
  ensure(cluster_.make_claim(job, Claim::Kind::allocated, now_, until, nodes, request, cores),
         "a start takes nothing that is in use or reserved");
  waiting_nodes_[index(job)] = booting;
  jobs_.move(job, booting > 0 ? JobState::configuring : JobState::running);
  if (booting > 0 && !keeps_time_) {
    configuring_.push_back(job);
    next_overdue_ = std::min(next_overdue_, cluster_.claim(job).until);
  }
  commands_->add(booting > 0 ? Command::Kind::allocate_job : Command::Kind::start_job, number(job), 0, nodes);
}

void Controller::reserve(JobId job, Time at, std::span<const NodeShare> nodes, Time expected) {
  ensure(jobs_.state(job) == JobState::pending && at >= now_ && at < kNever, "a reservation is for a pending job");
  const JobRequest& request = jobs_.request(job);
  const Time until = later(at, std::min(expected, request.limit));
  bool fits = false;
  if (cluster_.counts()) {
    ensure(nodes.empty(), "a reservation by number names no nodes");
    fits = cluster_.reserve_cores(job, at, until, request);
  } else {
    check_shares(job, nodes);
    fits = cluster_.make_claim(job, Claim::Kind::reserved, at, until, nodes, request, {});
  }
  ensure(fits, "a reservation takes nothing that is held");
}

void Controller::drop_reservation(JobId job) {
  ensure(cluster_.claim(job).kind == Claim::Kind::reserved, "only a reservation that exists is dropped");
  cluster_.end_claim(job, now_);
}

void Controller::expect(JobId job, Time expected) {
  ensure(jobs_.state(job) == JobState::running && expected <= jobs_.request(job).limit,
         "only a running job is expected to run for longer, and to its limit at most");
  const Time until = later(cluster_.claim(job).from, expected);
  ensure(cluster_.extend_claim(job, until), "a running job keeps nothing but what it holds");
}

void Controller::finish(JobId job, Outcome outcome) {
  const JobState was = jobs_.state(job);
  if (keeps_time_) {
    const std::optional<Outcome> judged = scheduler_->judge(present(), job, outcome);
    over_.push_back(job);
    if (!judged) {
      changes_.ended = true;
      return requeue(job, false);
    }
    if (*judged != outcome) {
      commands_->add(Command::Kind::end_job, number(job), static_cast<std::uint32_t>(*judged), {});
      outcome = *judged;
    }
  }
  jobs_.move(job, state_after(outcome));
  --active_jobs_;
  changes_.ended = true;
  if (was == JobState::pending) return cancel_pending(job);
  if (was == JobState::configuring) {
    stop_configuring(job);
  } else {
    finished_.push_back({job, now_ - cluster_.claim(job).from});
  }
  release(job);
}

// A job that held nodes gives them back.
void Controller::release(JobId job) {
  const Claim claim = cluster_.claim(job);
  ensure(now_ <= claim.until, "no job outlives its limit");
  changes_.freed_until = std::max(changes_.freed_until, claim.until);
  if (scaler_ != nullptr) {
    for (const NodeShare& share : cluster_.shares(job)) {
      // What it gives back of a node that is out of use is not free after all, as a reservation may have expected.
      changes_.disturbed |= cluster_.is_down(share.node);
      if (cluster_.jobs_on(share.node) == 1 && cluster_.state(share.node) == NodeState::up) {
        newly_idle_.push_back(share.node);
      }
    }
  }
  cluster_.end_claim(job, now_);
  const std::uint32_t at = held_at_[index(job)];
  held_[at] = held_.back();
  held_at_[index(held_[at])] = at;
  held_.pop_back();
}

void Controller::cancel_pending(JobId job) {
  leave_queue(job);
  if (cluster_.claim(job).kind == Claim::Kind::reserved) {
    cluster_.end_claim(job, now_);
    changes_.disturbed = true;  // a policy plans its reservations anew
  }
}

void Controller::stop_configuring(JobId job) {
  for (const NodeShare& share : cluster_.shares(job)) std::erase(waiting_jobs_[index(share.node)], job);
  std::erase(configuring_, job);
  if (configuring_.empty()) next_overdue_ = kNever;
}

void Controller::reject(JobId job, Rejection why) {
  ensure(keeps_time_ && std::find(arrivals_.begin(), arrivals_.end(), job) != arrivals_.end(),
         "a job is rejected when it arrives, by a policy that keeps time");
  jobs_.move(job, JobState::rejected);
  leave_queue(job);
  --active_jobs_;
  commands_->add(Command::Kind::reject_job, number(job), static_cast<std::uint32_t>(why), {});
}

void Controller::run(JobId job) {
  ensure(keeps_time_, "only a policy that keeps time runs jobs");
  ensure(waiting_nodes_[index(job)] == 0, "a job runs when all its nodes are up");
  ensure(jobs_.state(job) == JobState::configuring, "a job that has its nodes and does not run yet may run");
  jobs_.move(job, JobState::running);
  commands_->add(Command::Kind::start_job, number(job), 0, cluster_.shares(job));
}

void Controller::stop(JobId job, Outcome outcome) {
  ensure(keeps_time_, "only a policy that keeps time stops jobs");
  jobs_.move(job, JobState::completing);
  commands_->add(Command::Kind::stop_job, number(job), static_cast<std::uint32_t>(outcome), {});
}

void Controller::end(JobId job, Outcome outcome) {
  const JobState was = jobs_.state(job);
  jobs_.move(job, state_after(outcome));
  --active_jobs_;
  commands_->add(Command::Kind::end_job, number(job), static_cast<std::uint32_t>(outcome), {});
  if (was == JobState::pending) return cancel_pending(job);
  if (was == JobState::configuring) stop_configuring(job);
  release(job);
}

void Controller::requeue(JobId job, bool makes_way) {
  if (jobs_.state(job) == JobState::configuring) stop_configuring(job);
  jobs_.move(job, JobState::pending);
  release(job);
  const JobRequest& request = jobs_.request(job);
  queues_[index(request.queue)].put_back(job, cluster_.least_cores(request), request.limit);
  ++pending_jobs_;
  commands_->add(Command::Kind::requeue_job, number(job), makes_way ? 1 : 0, {});
}

void Controller::move(JobId job, QueueId queue) {
  ensure(keeps_time_ && jobs_.state(job) == JobState::pending && index(queue) < queues_.size(),
         "a pending job waits in a queue that exists, as a policy that keeps time says");
  const JobRequest& request = jobs_.request(job);
  queues_[index(request.queue)].remove(job);
  jobs_.move(job, queue);
  queues_[index(queue)].put_back(job, cluster_.least_cores(request), request.limit);
  commands_->add(Command::Kind::move_job, number(job), number(queue), {});
}

void Controller::node_ready(NodeId node) {
  cluster_.ready(node, now_);
  if (cluster_.jobs_on(node) == 0) newly_idle_.push_back(node);
  if (keeps_time_) registered_.push_back(node);
  for (const JobId job : waiting_jobs_[index(node)]) {
    if (--waiting_nodes_[index(job)] > 0 || keeps_time_) continue;
    if (any_lost_ && lacks_an_instance(job)) continue;  // it is about to wait again
    jobs_.move(job, JobState::running);
    std::erase(configuring_, job);
    if (configuring_.empty()) next_overdue_ = kNever;
    // The limit counts from the real start: the nodes are held longer than planned by the time they took to boot.
    changes_.disturbed |= !cluster_.restart_claim(job);
    commands_->add(Command::Kind::start_job, number(job), 0, cluster_.shares(job));
  }
  waiting_jobs_[index(node)].clear();
}

bool Controller::lacks_an_instance(JobId job) const {
  const std::span<const NodeShare> shares = cluster_.shares(job);
  return std::any_of(shares.begin(), shares.end(),
                     [this](const NodeShare& share) { return has_instance_[index(share.node)] == 0; });
}

// Nodes that boot for longer than a job's limit: the job holds on to what it has.
void Controller::extend_overdue() {
  next_overdue_ = kNever;
  for (const JobId job : configuring_) {
    if (cluster_.claim(job).until <= now_) {
      changes_.disturbed |= !cluster_.restart_claim(job);
    }
    next_overdue_ = std::min(next_overdue_, cluster_.claim(job).until);
  }
}

void Controller::check() const {
  cluster_.check(now_);
  ensure(pending_jobs_ + held_.size() == active_jobs_, "every active job waits in a queue or holds nodes");
  ensure(active_jobs_ <= static_cast<std::size_t>(cluster_.spec().job_limit), "the cluster's job limit holds [PCS-3]");
}

}  // namespace headroom
