/**
 * The consensus algorithm as a pure state machine: the Raft of Diego Ongaro's thesis ("Consensus:
 * Bridging Theory and Practice", 2014) with pre-vote, check-quorum, ReadIndex, leadership transfer,
 * learners and joint consensus.
 *
 * <p>Start with {@link dev.ashlar.raft.core.RaftCore} and {@link dev.ashlar.raft.core.Ready}.
 *
 * <p>Architecture invariant: nothing here does I/O, starts a thread, reads a clock, logs, or draws
 * a random number of its own. Time is a tick, randomness is handed in, results are returned.
 */
@NullMarked
package dev.ashlar.raft.core;

import org.jspecify.annotations.NullMarked;
