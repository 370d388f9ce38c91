#include "models/report/stretch.hpp"

namespace headroom {

std::vector<std::optional<PlacementEffect::Effect>> placement_effects(const RunRecord& record,
                                                                      const RunContext& context) {
  std::vector<std::optional<PlacementEffect::Effect>> effects;
  if (context.workload.communication.empty()) return effects;
  const PlacementEffect effect(context.scenario, context.design, context.workload);
  std::vector<PlacementEffect::Site> sites;
  effects.resize(record.jobs().size());
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    if (job.start == kNever) continue;
    sites.clear();
    for (const HeldShare& share : record.shares_of(job)) {
      PlacementEffect::Site& site = sites.emplace_back();
      site.node = share.node;
      if (share.instance == HeldShare::kPermanent) continue;
      site.offer = record.instances()[share.instance].offer;
      site.leaf = record.instances()[share.instance].leaf;
    }
    if (!sites.empty()) effects[j] = effect.effect(JobId{static_cast<std::uint32_t>(j)}, sites);
  }
  return effects;
}

std::map<std::string, StretchSummary> stretches_of(const RunRecord& record, const RunContext& context) {
  std::map<std::string, StretchSummary> summaries;
  const Workload& workload = context.workload;
  const auto effects = placement_effects(record, context);
  std::map<std::string, std::vector<double>> values;
  for (std::size_t j = 0; j < effects.size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    const std::uint32_t number = workload.jobs[j].communication;
    if (!effects[j] || number == 0 || !is_final(job.state)) continue;
    const std::string& name = workload.communication[number - 1].name;
    values[name].push_back(effects[j]->stretch);
    StretchSummary& summary = summaries[name];
    if (effects[j]->transport == Transport::tcp) ++summary.over_tcp;
    const bool fits = workload.jobs[j].run_time <= job.request.limit;
    if (job.state == JobState::timed_out && fits) ++summary.timed_out;
  }
  for (auto& [name, list] : values) summaries[name].stretch = spread_of(list);
  return summaries;
}

}  // namespace headroom
