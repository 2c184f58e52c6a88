// Package load does to a centre what a warehouse does to it in its busiest
// hour, over real sockets, and tells how long each thing took. The benchmarks
// and the load rig share it.
//
// Its words: a [Centre] is the built service as a process with a folder of its
// own; a [Sender] is a station that keeps no data, so that many of them fit
// beside the service; a [Bench] is a whole station; a [Plan] is what is to
// arrive in which time. Work begins when the plan says, whether or not what came
// before it has been answered, and times count from that moment: a service that
// stalls is charged for all that had to wait.
//
// It speaks to addresses of this machine only.
package load
