// Package bench measures how long the cases of a suite take, compares two servers, and
// keeps baselines.
//
// Two processes of the same program differ: in their memory layout, in the core they run
// on, in what they have in their caches. Therefore the unit of a comparison is a block: a
// fresh process of each server, whose calls alternate in random order. A block gives one
// ratio for each case, and the blocks are the samples of the test (Wilcoxon's signed-rank
// test, corrected after Holm for the number of cases). A server that is slower by chance in
// a single process does not raise an alarm.
package bench
