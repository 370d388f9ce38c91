// In what order a queue is served: priority functions of the literature, as a number by which jobs are compared. Hides
// how logarithms are taken; promises the same order with every compiler and C library: nothing but integers and single
// IEEE operations decides it.
//
//   fcfs    order of submission
//   sjf     shortest requested time first
//   wfp3    -(w / r)^3 * n                       Tang, Lan, Desai, Buettner, "Fault-aware, utility-based job scheduling
//   on unicef  -w / (log2(n) * r)                   Blue Gene/P systems", CLUSTER 2009 f1      log10(r) * n + 870 *
//   log10(s)        Carastan-Santos and de Camargo, "Obtaining Dynamic Scheduling Policies
//                                                with Simulation and Machine Learning", SC'17
//
// The least value goes first; equal ones go in order of submission. r is the requested time in seconds, n the
// processors asked for, s the submit time in seconds since the first submission of the run, w the time waited so far.
// wfp3 and unicef change with time: they are evaluated at every pass. Where a function has no value:
//   unicef, n = 1   log2(n) is 0: such jobs go before all others, which is what the division by zero in the simulator
//   of
//                   SC'17 comes to;
//   unicef, w = 0   a moment is taken in place of no wait (10^-20 s, as there), so that n and r decide between new
//   jobs; f1, s < 1 s     1 s is taken.
#pragma once

#include "engine/news.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

// log2(x) * 2^32 for x > 0, to within 2^-31.
std::int64_t log2_scaled(std::uint64_t x);

// What a job's place depends on, but for the time.
class Priority {
 public:
  Priority(QueueOrder order, const JobRequest& request, Time first_submit);
  // The least goes first.
  double at(Time now) const;

 private:
  QueueOrder order_;
  Time submit_;
  double requested_;
  double processors_ = 0;
  double logarithm_ = 0;  // of the processors
  double fixed_ = 0;      // the value where time does not matter
};

}  // namespace headroom
