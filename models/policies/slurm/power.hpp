// Slurm's power saving: a thread of slurmctld that looks at the nodes once a second if anything changed on them since
// it last did, and every 11 s (10 s before 24.05) otherwise. Then, and only then, it resumes nodes that jobs were
// given, suspends nodes that were idle for SuspendTime, takes suspended ones for powered down after SuspendTimeout, and
// gives up nodes that did not boot within ResumeTimeout.
#pragma once

#include <memory>

#include "models/policies/launcher.hpp"
#include "models/policies/slurm/slurm.hpp"

namespace headroom::slurm {

class PowerSave final : public ScalerPolicy {
 public:
  // `launcher`: what ResumeProgram does.
  explicit PowerSave(std::shared_ptr<State> state, const Launcher::Options& launcher = {});

  Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) override;
  void hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) override;
  bool settles() const override { return true; }

 private:
  void scan(const View& view, ScalePlan& plan);
  bool changed(Second last_update) const;
  Time next_due(Second last_update) const;
  std::int32_t may_resume();
  std::int32_t may_suspend();
  Time next_look(const View& view) const;

  // How many nodes may still change their power: tokens since 24.05, a decaying average of the last minute before.
  struct Rate {
    double recent = 0;
    Second averaged = 0;
    std::int64_t ticks = 0;  // of the clock that fills the bucket, as of the last scan
    std::int32_t tokens = 0;
  };
  std::int64_t token_ticks(std::int32_t per_minute) const;
  std::int32_t allowance(Rate& rate, std::int32_t per_minute);
  void spend(Rate& rate, std::int32_t nodes, std::int32_t per_minute);

  void replace(Index n);

  std::shared_ptr<State> state_;
  Launcher launcher_;
  std::vector<NodeId> stale_;  // are replaced when they are idle
  Second now_s_ = 0;
  Time look_at_ = 0;  // its next look at the clock
  Second last_scan_ = 0;
  Second update_before_ = 0;  // of the nodes, when it was last called
  Rate resume_;
  Rate suspend_;
  std::vector<NodeId> wake_;  // scratch
  std::vector<NodeId> sleep_;
  std::vector<NodeId> failed_;
};

}  // namespace headroom::slurm
