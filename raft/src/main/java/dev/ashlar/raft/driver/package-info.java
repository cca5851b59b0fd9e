/**
 * The loop around the core: inputs in, {@link dev.ashlar.raft.core.Ready} out to the ports. The
 * same in production and in the simulator.
 *
 * <p>Architecture invariant: no Vert.x, no thread, no clock here. Time is a tick that the host
 * gives; storage and transport are ports.
 */
@NullMarked
package dev.ashlar.raft.driver;

import org.jspecify.annotations.NullMarked;
